-- Calls of language models: what was asked (as a digest), what came back, and what it cost. An answer is looked up
-- before it is asked for again, so that a restart spends nothing twice.

CREATE TABLE model_calls (
    call_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    building_id   text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    seq           bigint NOT NULL,            -- the entry of the inbox that needed it
    worker        text NOT NULL,              -- reader, adviser or summariser
    ordinal       integer NOT NULL,           -- place among the calls of this worker for this entry
    tier          integer NOT NULL,           -- from 0, cheap to strong
    request_hash  text NOT NULL,
    model         text NOT NULL,
    outcome       text NOT NULL,              -- answered, or why the tier abstained
    detail        text,                       -- what went wrong
    answer        text,                       -- the answer as it came, where one came
    input_tokens  bigint NOT NULL DEFAULT 0,
    output_tokens bigint NOT NULL DEFAULT 0,
    cost          numeric,                    -- NULL: no price is known for this model
    took_s        double precision NOT NULL,
    day           date NOT NULL,              -- of the budget, in the building's zone
    at            timestamptz NOT NULL
);
CREATE INDEX model_calls_asked ON model_calls (building_id, seq, worker, ordinal, tier, request_hash);
CREATE INDEX model_calls_day ON model_calls (building_id, day);

-- What has been spent, by building, so that figures stay cheap and nobody waits for another building here. Without a
-- reference: what was spent stays counted when a building is gone.
CREATE TABLE model_totals (
    building_id   text NOT NULL,
    worker        text NOT NULL,
    model         text NOT NULL,
    outcome       text NOT NULL,
    calls         bigint NOT NULL,
    input_tokens  bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost          numeric NOT NULL,
    PRIMARY KEY (building_id, worker, model, outcome)
) WITH (fillfactor = 50);
