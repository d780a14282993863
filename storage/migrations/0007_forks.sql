-- Forks: sandboxes of a building as it was at some point of its past.

-- `replay`: a sandbox that a backtest is still running through; no worker is woken for it.
ALTER TABLE buildings DROP CONSTRAINT buildings_mode_check;
ALTER TABLE buildings ADD CONSTRAINT buildings_mode_check CHECK (mode IN ('live', 'sandbox', 'replay'));
-- Of a sandbox: the live building whose past it has. Its orders are numbered as that building's.
ALTER TABLE buildings ADD COLUMN origin text;

-- Of `changes`, where the entry's run began (its last generation's): what it found, and what came of it, part here.
ALTER TABLE events ADD COLUMN began bigint;

CREATE TABLE forks (
    number        bigint GENERATED ALWAYS AS IDENTITY,
    fork_id       text PRIMARY KEY REFERENCES buildings ON DELETE CASCADE,
    parent_id     text NOT NULL REFERENCES buildings,  -- a building that has forks cannot go before them
    position      bigint NOT NULL,                     -- of the parent's `changes`, where they part
    last_seq      bigint NOT NULL,                     -- the last entry that both have
    in_hand       bigint,                              -- the entry that was being processed there, if one was
    checkpoint_id text,                                -- the parent's checkpoint that the state comes from
    state_seq     bigint,                              -- the entry that this checkpoint belongs to
    exact         boolean NOT NULL,                    -- whether state and tables are of the same moment
    note          text,                                -- what is to be said about that
    created_by    jsonb NOT NULL,
    created_at    timestamptz NOT NULL
);
CREATE INDEX forks_of ON forks (parent_id, number);

-- Only what happens to live buildings is counted: the figures of the service do not speak of what-ifs.
CREATE OR REPLACE FUNCTION longlead_count_ended() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    bounds CONSTANT double precision[] := '{0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30,60,300,3600}';
    none CONSTANT bigint[] := '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}';
    how CONSTANT text := CASE NEW.status WHEN 'queued' THEN 'retried' ELSE NEW.status END;
    received CONSTANT double precision := GREATEST(0, extract(epoch FROM NEW.finished_at - NEW.received_at));
    started CONSTANT double precision :=
        GREATEST(0, extract(epoch FROM NEW.finished_at - COALESCE(NEW.started_at, NEW.finished_at)));
    r CONSTANT integer := width_bucket(received, bounds) + 1;
    s CONSTANT integer := width_bucket(started, bounds) + 1;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM buildings WHERE building_id = NEW.building_id AND mode = 'live') THEN
        RETURN NULL;
    END IF;
    LOOP
        UPDATE event_totals
           SET events = events + 1, received_s = received_s + received, started_s = started_s + started,
               received_within[r] = received_within[r] + 1, started_within[s] = started_within[s] + 1
         WHERE building_id = NEW.building_id AND event_type = NEW.event_type AND ended = how;
        EXIT WHEN FOUND;
        INSERT INTO event_totals VALUES (NEW.building_id, NEW.event_type, how, 0, 0, 0, none, none)
            ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN NULL;
END $$;
