-- A message that no way took is `logged`, and not `delivered`; and failures by an outside cause are counted apart.

ALTER TABLE outbox DROP CONSTRAINT outbox_status_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_status_check
      CHECK (status IN ('queued', 'delivered', 'logged', 'dead', 'withheld'));

-- Earlier versions called these delivered too. What tells is whether any way took the message.
UPDATE outbox o SET status = 'logged', delivered_at = NULL, attempts = 0
 WHERE o.status = 'delivered'
   AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.outbox_id = o.outbox_id AND d.status = 'delivered');

CREATE INDEX outbox_logged ON outbox (routed_at) WHERE status = 'logged';
DROP INDEX outbox_status;
CREATE INDEX outbox_status ON outbox (status, outbox_id) WHERE status IN ('queued', 'logged', 'dead');

-- Of an event's failures, those that something outside of Longlead caused: they have more patience.
ALTER TABLE events ADD COLUMN outages integer NOT NULL DEFAULT 0;
ALTER TABLE events ALTER COLUMN outages SET STATISTICS 5;
