-- Keeping house: what is due and how far it got, and what has happened counted as it happens, so that figures stay cheap.

-- One row a duty. The row is claimed by moving `due_at`: of many workers one does it.
CREATE TABLE upkeep (
    name   text PRIMARY KEY,
    due_at timestamptz NOT NULL,
    place  text NOT NULL DEFAULT ''           -- how far a pass got that was ended by its time
);
INSERT INTO upkeep (name, due_at) VALUES ('retention', '-infinity');

-- How entries ended, by building: whoever ends one holds the building's row, so nobody waits for another building here.
-- Without a reference: what has happened stays counted when a building is gone.
CREATE TABLE event_totals (
    building_id     text NOT NULL,
    event_type      text NOT NULL,
    ended           text NOT NULL CHECK (ended IN ('done', 'dead', 'retried')),
    events          bigint NOT NULL,
    received_s      double precision NOT NULL,  -- sum of the seconds since they were received
    started_s       double precision NOT NULL,  -- and since their last start
    received_within bigint[] NOT NULL,          -- how many ended within each of the bounds below, and beyond
    started_within  bigint[] NOT NULL,
    PRIMARY KEY (building_id, event_type, ended)
) WITH (fillfactor = 50);

CREATE FUNCTION longlead_count_ended() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER events_ended AFTER UPDATE OF status ON events FOR EACH ROW
    WHEN (NEW.finished_at IS NOT NULL
          AND (NEW.status IN ('done', 'dead') AND OLD.status IN ('queued', 'running')
               OR NEW.status = 'queued' AND NEW.failures > OLD.failures))
    EXECUTE FUNCTION longlead_count_ended();

-- What ended before this was counted.
INSERT INTO event_totals
SELECT building_id, event_type, status, count(*), 0, 0,
       ARRAY[0,0,0,0,0,0,0,0,0,0,0,0,0,0]::bigint[] || count(*), ARRAY[0,0,0,0,0,0,0,0,0,0,0,0,0,0]::bigint[] || count(*)
  FROM events WHERE status IN ('done', 'dead') GROUP BY building_id, event_type, status;

CREATE INDEX IF NOT EXISTS events_dead ON events (building_id, seq) WHERE status = 'dead';
CREATE INDEX IF NOT EXISTS outbox_delivered ON outbox (delivered_at) WHERE status = 'delivered';
