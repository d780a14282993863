-- What was said about a line is kept as facts; its lots, nonconformances and facets are computed from them.

CREATE TABLE facts (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    item_id     text NOT NULL,
    fact_id     text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('departed', 'arrived', 'inspected', 'disposed', 'stated', 'submitted')),
    day         date NOT NULL,
    said_at     timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    source      text NOT NULL,
    event_id    text NOT NULL,
    "order"     text,
    shipment_id text,
    quantity    numeric,
    judgement   text,
    voided_by   text,                 -- the event that took it back
    details     jsonb NOT NULL,
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, fact_id)
);
CREATE INDEX facts_of_event ON facts (building_id, source, event_id);

CREATE TABLE lots (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    item_id     text NOT NULL,
    lot_id      text NOT NULL,
    "order"     text,
    quantity    numeric NOT NULL,
    unit        text,
    state       text NOT NULL,
    shipment_id text,
    ncr_id      text,
    since       date,
    arrived_on  date,
    expected_on date,
    usable_on   date,
    aliases     jsonb NOT NULL DEFAULT '[]',
    is_over     boolean NOT NULL DEFAULT false,
    is_unknown  boolean NOT NULL DEFAULT false,
    is_gone     boolean NOT NULL DEFAULT false,  -- it was joined with another, or its facts were taken back
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, lot_id)
);

CREATE TABLE nonconformances (
    building_id   text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    item_id       text NOT NULL,
    ncr_id        text NOT NULL,
    ncr_number    text NOT NULL,
    lot_id        text,
    shipment_id   text,
    quantity      numeric NOT NULL,
    undecided     numeric NOT NULL,
    defects       jsonb NOT NULL DEFAULT '[]',
    disposition   text,
    inspection_id text,
    is_gone       boolean NOT NULL DEFAULT false,
    caused_seq    bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, ncr_id)
);

-- What a line amounts to; null: nothing has changed on it since facts are kept, and its rows are read as they are.
ALTER TABLE items ADD COLUMN account jsonb;
ALTER TABLE items ADD COLUMN unit_factors jsonb NOT NULL DEFAULT '{}';
ALTER TABLE purchase_orders ADD COLUMN cancelled_on date;
ALTER TABLE purchase_order_lines ADD COLUMN ordered_after date;
ALTER TABLE shipments ADD COLUMN fact text;
ALTER TABLE receipts ADD COLUMN is_voided boolean NOT NULL DEFAULT false;
ALTER TABLE inspections ADD COLUMN fact text;

-- Several orders of one line may be open at once.
ALTER TABLE purchase_order_lines DROP CONSTRAINT purchase_order_lines_building_id_item_id_round_key;
CREATE INDEX purchase_order_lines_of_item ON purchase_order_lines (building_id, item_id, round);
