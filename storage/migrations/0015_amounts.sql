-- Whether a question is about an amount that is not known: then only somebody without a limit decides it.

ALTER TABLE approvals ADD COLUMN amount_unknown boolean NOT NULL DEFAULT false;
