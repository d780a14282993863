-- Each message for outside on each of its ways: one row a way, so that what one way refuses the other ways still get,
-- and a repeated attempt repeats nothing that was delivered.

CREATE TABLE deliveries (
    delivery_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outbox_id    bigint NOT NULL REFERENCES outbox ON DELETE CASCADE,
    building_id  text NOT NULL,
    way          text NOT NULL,               -- its name in the settings; addresses and secrets are only there
    channel      text NOT NULL,               -- what kind of way: mailtos, slack, webhook, erp, ...
    lane         text NOT NULL,               -- within a building's lane nothing overtakes
    status       text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'delivered', 'dead')),
    attempts     integer NOT NULL DEFAULT 0,  -- started, crashes included
    error        text,
    not_before   timestamptz,
    lease        uuid,
    leased_until timestamptz,
    created_at   timestamptz NOT NULL,
    delivered_at timestamptz,
    UNIQUE (outbox_id, way)
);
CREATE INDEX deliveries_open ON deliveries (outbox_id) WHERE status = 'queued';
CREATE INDEX deliveries_lanes ON deliveries (building_id, lane, outbox_id) WHERE status = 'queued';

-- Whether its ways were chosen. NULL: not yet.
ALTER TABLE outbox ADD COLUMN routed_at timestamptz;
DROP INDEX outbox_open;
CREATE INDEX outbox_open ON outbox (outbox_id) WHERE status = 'queued' AND routed_at IS NULL;
CREATE INDEX outbox_status ON outbox (status, outbox_id) WHERE status IN ('queued', 'dead');

-- Secrets that Longlead makes for itself, shared by all its processes.
CREATE TABLE secrets (
    name       text PRIMARY KEY,
    value      text NOT NULL,
    created_at timestamptz NOT NULL
);
