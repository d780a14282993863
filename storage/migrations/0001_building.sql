-- A building, its inbox and its procurement log. Every transaction that writes takes the building's row first,
-- FOR NO KEY UPDATE; every domain row is saved whole with its after-image in `changes`.

CREATE TABLE buildings (
    building_id      text PRIMARY KEY,
    name             text NOT NULL,
    thread_id        uuid NOT NULL UNIQUE,
    mode             text NOT NULL DEFAULT 'live' CHECK (mode IN ('live', 'sandbox')),
    status           text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'closed')),
    time_zone        text NOT NULL,
    currency         text NOT NULL,
    working_week     jsonb NOT NULL,
    contacts         jsonb NOT NULL DEFAULT '{}',
    approvers        jsonb NOT NULL DEFAULT '[]',
    policy           jsonb NOT NULL DEFAULT '{}',
    schedule_version integer NOT NULL DEFAULT 1,
    po_counter       integer NOT NULL DEFAULT 0,
    spec_hash        text NOT NULL,
    created_at       timestamptz NOT NULL,
    last_seq         bigint NOT NULL DEFAULT 0,  -- last entry of the inbox
    position         bigint NOT NULL DEFAULT 0,  -- last row of `changes`
    epoch            bigint NOT NULL DEFAULT 0   -- raised by every drain: an older one cannot finish an event
) WITH (fillfactor = 60);

CREATE TABLE events (
    building_id  text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    seq          bigint NOT NULL,
    source       text NOT NULL,
    event_id     text NOT NULL,
    event_type   text NOT NULL,
    body         jsonb NOT NULL,
    body_hash    text NOT NULL,
    received_at  timestamptz NOT NULL,
    status       text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'dead')),
    generation   integer NOT NULL DEFAULT 0,
    attempts     integer NOT NULL DEFAULT 0,  -- started, crashes included
    failures     integer NOT NULL DEFAULT 0,  -- ended by an error of its own
    not_before   timestamptz,
    started_at   timestamptz,
    finished_at  timestamptz,
    error        text,
    outcome      jsonb,
    position     bigint,                      -- of `changes`, where the event ended
    PRIMARY KEY (building_id, seq),
    UNIQUE (building_id, source, event_id)
) WITH (fillfactor = 80);
CREATE INDEX events_open ON events (building_id, seq) WHERE status IN ('queued', 'running');

CREATE TABLE changes (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    position    bigint NOT NULL,
    seq         bigint NOT NULL,
    entity      text NOT NULL,
    id          text NOT NULL,
    data        jsonb NOT NULL,
    PRIMARY KEY (building_id, position)
);

CREATE TABLE actions (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    seq         bigint NOT NULL,
    action      text NOT NULL,
    item        text NOT NULL DEFAULT '',
    ordinal     integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('fact', 'action', 'question')),
    args_hash   text NOT NULL,
    arguments   jsonb NOT NULL,
    result      jsonb NOT NULL,
    responder   jsonb NOT NULL,
    position    bigint NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (building_id, seq, action, item, ordinal)
);

CREATE INDEX actions_facts ON actions (building_id, item, seq) WHERE kind = 'fact';

CREATE TABLE decisions (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    seq         bigint NOT NULL,
    generation  integer NOT NULL,
    step        integer NOT NULL,
    item_id     text,
    approval_id text,
    type        text NOT NULL,
    kind        text NOT NULL,
    responder   jsonb NOT NULL,
    why         text NOT NULL,
    confidence  double precision,
    actions     jsonb NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (building_id, seq, generation, step)
);

CREATE TABLE outbox (
    outbox_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    key         text NOT NULL,                -- the ledger key: sent along as Idempotency-Key
    channel     text NOT NULL,
    recipient   text NOT NULL,
    subject     text NOT NULL,
    payload     jsonb NOT NULL,
    status      text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'delivered', 'dead', 'withheld')),
    attempts    integer NOT NULL DEFAULT 0,
    error       text,
    created_at  timestamptz NOT NULL,
    delivered_at timestamptz,
    UNIQUE (building_id, key)
);
CREATE INDEX outbox_open ON outbox (outbox_id) WHERE status = 'queued';

CREATE TABLE schedules (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    version     integer NOT NULL,
    body        jsonb NOT NULL,
    data_date   date,
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, version)
);

CREATE TABLE vendors (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    vendor_id   text NOT NULL,
    name        text NOT NULL,
    contact     text,
    approved    boolean NOT NULL,
    PRIMARY KEY (building_id, vendor_id)
);

CREATE TABLE items (
    building_id        text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    item_id            text NOT NULL,
    name               text NOT NULL,
    category           text,
    vendor_id          text,
    quantity           numeric,
    unit               text,
    unit_price         numeric,
    currency           text NOT NULL,
    lead_time_days     integer,
    posted             boolean NOT NULL,
    submittal          text NOT NULL,
    submittal_revision integer,
    document_url       text,
    commercial         text NOT NULL,
    logistics          text NOT NULL,
    quality            text NOT NULL,
    required_by        date,
    buffer_days        integer NOT NULL,
    promised_date      date,
    eta                date,
    schedule_band      text,
    told_band          text,
    round              integer NOT NULL,
    held_until         date,
    hold_note          text,
    removed            boolean NOT NULL,
    caused_seq         bigint NOT NULL,
    PRIMARY KEY (building_id, item_id)
) WITH (fillfactor = 70);
CREATE INDEX items_held ON items (held_until) WHERE held_until IS NOT NULL;

CREATE TABLE flags (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    flag_id     text NOT NULL,
    item_id     text NOT NULL,
    band        text NOT NULL,
    detail      text NOT NULL,
    status      text NOT NULL,
    raised_seq  bigint NOT NULL,
    cleared_seq bigint,
    PRIMARY KEY (building_id, flag_id)
);
CREATE INDEX flags_of_item ON flags (building_id, item_id) WHERE status = 'open';

CREATE TABLE purchase_orders (
    building_id  text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    number       text NOT NULL,
    revision     integer NOT NULL,
    status       text NOT NULL,
    vendor_id    text,
    currency     text NOT NULL,
    total        numeric,
    external_ref text,
    issued_on    date,
    caused_seq   bigint NOT NULL,
    PRIMARY KEY (building_id, number)
);

CREATE TABLE purchase_order_lines (
    building_id   text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    number        text NOT NULL,
    line          integer NOT NULL,
    item_id       text NOT NULL,
    round         integer NOT NULL,
    quantity      numeric,
    unit          text,
    unit_price    numeric,
    promised_date date,
    required_by   date,
    PRIMARY KEY (building_id, number, line),
    UNIQUE (building_id, item_id, round)      -- an item is ordered once for each round
);

CREATE TABLE shipments (
    building_id    text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    shipment_id    text NOT NULL,
    item_id        text NOT NULL,
    round          integer NOT NULL,
    purchase_order text,
    quantity       numeric,
    status         text NOT NULL,
    eta            date,
    departed_on    date,
    origin         text,
    caused_seq     bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, shipment_id)
);

CREATE TABLE receipts (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    receipt_id  text NOT NULL,
    shipment_id text NOT NULL,
    item_id     text NOT NULL,
    quantity    numeric,
    received_on date NOT NULL,
    location    text,
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, receipt_id)
);

CREATE TABLE inspections (
    building_id       text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    inspection_id     text NOT NULL,
    item_id           text NOT NULL,
    round             integer NOT NULL,
    shipment_id       text,
    status            text NOT NULL,
    scheduled_on      date,
    inspected_on      date,
    document_url      text,
    document_name     text,
    defects           jsonb NOT NULL,
    quantity_rejected numeric,
    ncr_number        text,
    disposition       text,
    caused_seq        bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, inspection_id)
);

CREATE TABLE milestones (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    item_id     text NOT NULL,
    round       integer NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('acknowledge', 'ship', 'arrive', 'inspect')),
    due_on      date,
    met_on      date,
    chase_on    date,
    chases      integer NOT NULL,
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, item_id, round, kind)
);
CREATE INDEX milestones_overdue ON milestones (chase_on) WHERE met_on IS NULL AND chase_on IS NOT NULL;

CREATE TABLE messages (
    building_id text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    message_id  text NOT NULL,
    item_id     text,
    direction   text NOT NULL CHECK (direction IN ('in', 'out')),
    party       text NOT NULL,
    text        text NOT NULL,
    urgency     text NOT NULL,
    caused_seq  bigint NOT NULL,
    PRIMARY KEY (building_id, message_id)
);
CREATE INDEX messages_in_order ON messages (building_id, caused_seq);
CREATE INDEX messages_notes ON messages (building_id, item_id, caused_seq) WHERE direction = 'in';

CREATE TABLE approvals (
    building_id      text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    approval_id      text NOT NULL,
    key              text NOT NULL,
    item_id          text,
    kind             text NOT NULL,
    summary          text NOT NULL,
    options          jsonb NOT NULL,
    refused          integer NOT NULL,
    evidence         jsonb NOT NULL,
    subject          jsonb NOT NULL,
    fingerprint      text NOT NULL,
    status           text NOT NULL CHECK (status IN ('pending', 'decided', 'superseded', 'withdrawn')),
    version          integer NOT NULL,
    holds_item       boolean NOT NULL,
    amount           text,
    asked_of         text,
    escalation_level integer NOT NULL,
    raised_at        timestamptz NOT NULL,
    due_at           timestamptz,
    escalate_at      timestamptz,
    raised_seq       bigint NOT NULL,
    decision         jsonb,
    decision_seq     bigint,
    PRIMARY KEY (building_id, approval_id),
    UNIQUE (approval_id)
);
-- One pending question per item and kind.
CREATE UNIQUE INDEX approvals_one_pending ON approvals (building_id, item_id, kind)
    WHERE status = 'pending' AND item_id IS NOT NULL;
CREATE INDEX approvals_overdue ON approvals (LEAST(due_at, escalate_at)) WHERE status = 'pending';
CREATE INDEX approvals_pending ON approvals (building_id) WHERE status = 'pending';
CREATE INDEX approvals_of_item ON approvals (building_id, item_id, kind);
CREATE INDEX approvals_past ON approvals (building_id, kind, decision_seq) WHERE status = 'decided';

-- The live line: checkpoints that workers wrote (Studio's have no `seq`), by the step that counts up along it.
CREATE INDEX checkpoints_live
    ON checkpoints (thread_id, checkpoint_ns, ((metadata ->> 'step')::integer) DESC, checkpoint_id DESC)
    WHERE metadata ? 'seq';
