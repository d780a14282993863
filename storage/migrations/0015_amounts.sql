-- Whether a question is about an amount that is not known: then only somebody without a limit decides it.

ALTER TABLE approvals ADD COLUMN amount_unknown boolean NOT NULL DEFAULT false;

-- What programs and rules committed on a line is read from the ledger by line.
CREATE INDEX actions_of_item ON actions (building_id, item, seq) WHERE kind = 'action';
