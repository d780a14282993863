-- What the schedule asks for of a line, the earliest day first: `required_by` and `buffer_days` are the first one's.

ALTER TABLE items ADD COLUMN needs jsonb NOT NULL DEFAULT '[]';
