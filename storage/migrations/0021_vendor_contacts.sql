-- A vendor's addresses beside the one for orders (`contact`), by what a message is about: logistics, escalation.
ALTER TABLE vendors ADD COLUMN contacts jsonb NOT NULL DEFAULT '{}';
