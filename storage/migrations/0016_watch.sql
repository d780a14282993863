-- Watch: the agent decides and shows what it would do, and sends and orders nothing (docs/decisions/0020-watch-mode.md).
-- `mode` goes on to say what a building is: a real one, or a fork of one. Whether a real one is only watched is a fact
-- of its own, so that every statement about real buildings counts it.

ALTER TABLE buildings ADD COLUMN is_watching boolean NOT NULL DEFAULT false;
-- A person has switched it to live; in force from the inbox entry that this made.
ALTER TABLE buildings ADD COLUMN goes_live boolean NOT NULL DEFAULT false;
-- The entry with which it went live: answers before it were given in watch, and none of them was carried out.
ALTER TABLE buildings ADD COLUMN live_from_seq bigint NOT NULL DEFAULT 0;
-- On the first day of being live: when the agent begins to order by itself. Entered by the tick.
ALTER TABLE buildings ADD COLUMN acts_from timestamptz;
CREATE INDEX buildings_act_from ON buildings (acts_from) WHERE acts_from IS NOT NULL;

-- What the agent would have ordered.
ALTER TABLE items ADD COLUMN would_order jsonb;
-- An order that somebody placed without the agent.
ALTER TABLE purchase_orders ADD COLUMN placed_outside boolean NOT NULL DEFAULT false;

-- Why a message was withheld: `watch`, or `sandbox` for a fork.
ALTER TABLE outbox ADD COLUMN withheld_because text;
UPDATE outbox SET withheld_because = 'sandbox' WHERE status = 'withheld';
ALTER TABLE deliveries DROP CONSTRAINT deliveries_status_check;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_status_check
    CHECK (status IN ('queued', 'delivered', 'dead', 'withheld'));
