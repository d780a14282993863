-- Links that no longer hold, and what was done with those that were opened. Times are the database's own: a link is
-- made by whichever process sends a message, and must be told from one made after it was revoked.

CREATE TABLE link_revocations (
    revocation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scope         text NOT NULL CHECK (scope IN ('all', 'approval', 'person')),
    subject       text,                      -- the approval's id, or the person's; none for all
    within        text,                      -- only links of this building and its forks; none: of any
    why           text NOT NULL,
    revoked_by    jsonb NOT NULL,            -- {type, id, name, via}
    revoked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((scope = 'all') = (subject IS NULL))
);
CREATE INDEX link_revocations_at ON link_revocations (revoked_at);

CREATE TABLE link_uses (
    use_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    page        text NOT NULL CHECK (page IN ('approval', 'log')),
    subject     text NOT NULL,               -- the approval or the building
    person      text NOT NULL,               -- the role or the key's id
    name        text NOT NULL,
    address     text NOT NULL,               -- fingerprint of the address or the key it was made for
    what        text NOT NULL CHECK (what IN ('shown', 'answered', 'refused')),
    why         text,                        -- why it was refused
    at          timestamptz NOT NULL
);
CREATE INDEX link_uses_of_building ON link_uses (building_id, use_id);
CREATE INDEX link_uses_of_subject ON link_uses (building_id, subject, at);
CREATE INDEX link_uses_at ON link_uses (at);
