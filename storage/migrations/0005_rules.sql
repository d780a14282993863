-- What people's answers taught, and what people have delegated. A rule or delegation is named within its building, so
-- that a fork has its own of the same name.

CREATE TABLE rules (
    building_id  text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    rule_id      text NOT NULL,
    kind         text NOT NULL,              -- the kind of question it answers, and which of them: null is any
    category     text,
    vendor_id    text,
    item_id      text,
    about        text,
    title        text NOT NULL,
    text         text NOT NULL,
    actions      jsonb NOT NULL,             -- in terms of the situation
    source       text NOT NULL,              -- the approval it was learned from, as `seq.ordinal`
    learned_from text NOT NULL,
    learned_at   timestamptz NOT NULL,
    applied      integer NOT NULL,
    decided      integer NOT NULL,
    confirmed    integer NOT NULL,
    overruled    integer NOT NULL,
    streak       integer NOT NULL,
    refusals     integer NOT NULL,
    late         boolean NOT NULL,
    most         numeric,
    autonomy     text NOT NULL CHECK (autonomy IN ('recommend', 'earned', 'alone')),
    delegation   text NOT NULL CHECK (delegation IN ('none', 'asked', 'refused')),
    status       text NOT NULL CHECK (status IN ('active', 'retired', 'disabled')),
    shared       boolean NOT NULL,
    edited_by    text,
    caused_seq   bigint NOT NULL,
    PRIMARY KEY (building_id, rule_id)
);
CREATE INDEX rules_of_kind ON rules (building_id, kind) WHERE status = 'active';
CREATE INDEX rules_shared ON rules (kind) WHERE status = 'active' AND shared;

CREATE TABLE delegations (
    building_id   text NOT NULL REFERENCES buildings ON DELETE CASCADE,
    delegation_id text NOT NULL,
    kind          text NOT NULL,
    actions       jsonb NOT NULL,            -- names of actions
    category      text,
    vendor_id     text,
    item_id       text,
    about         text,
    amount_limit  numeric,                   -- in the building's currency; null: po_limit holds
    granted_to    text NOT NULL,             -- `rules`, or the id of a program's key
    granted_by    text NOT NULL,
    granted_at    timestamptz NOT NULL,
    expires_at    timestamptz,
    status        text NOT NULL CHECK (status IN ('active', 'suspended', 'revoked')),
    note          text,
    caused_seq    bigint NOT NULL,
    PRIMARY KEY (building_id, delegation_id)
);
CREATE INDEX delegations_active ON delegations (building_id, kind) WHERE status = 'active';

-- The answer that a rule or a model recommended with the question; null: nobody but the ranking of the options.
ALTER TABLE approvals ADD COLUMN advice jsonb;

-- What a rule's or a model's decision rests on: the rule, the delegation, the line of the policy; the digest of the
-- facts that it was taken on; and what it cost.
ALTER TABLE decisions ADD COLUMN basis jsonb NOT NULL DEFAULT '{}';
ALTER TABLE decisions ADD COLUMN fingerprint text;
ALTER TABLE decisions ADD COLUMN tokens bigint;
CREATE INDEX decisions_on_facts ON decisions (building_id, kind, item_id, fingerprint) WHERE fingerprint IS NOT NULL;
