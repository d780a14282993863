-- Everything has an author: who sent an event, and who created, changed, retried or deleted something.

-- {type, id, name, via}; null for entries that Longlead writes itself, and for those of older versions.
ALTER TABLE events ADD COLUMN sent_by jsonb;
ALTER TABLE events ALTER COLUMN sent_by SET STATISTICS 0;

-- Who did what beside the inbox. Only ever added to, and kept for good: no reference to the building, so that what
-- was deleted, and by whom, can still be read when the building is gone.
CREATE TABLE audit (
    building_id text NOT NULL,
    number      bigint GENERATED ALWAYS AS IDENTITY,
    at          timestamptz NOT NULL,
    by          jsonb NOT NULL,             -- {type, id, name, via}
    what        text NOT NULL,              -- such as building_changed
    subject     text NOT NULL,              -- id of what it was done to
    detail      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (building_id, number)
);
CREATE INDEX audit_newest ON audit (building_id, (-number));
