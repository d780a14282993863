-- Which of several things of one kind on a line a question is about: an NCR, an order, an event. One of each is pending.
ALTER TABLE approvals ADD COLUMN matter text NOT NULL DEFAULT '';
DROP INDEX approvals_one_pending;
CREATE UNIQUE INDEX approvals_one_pending ON approvals (building_id, item_id, kind, matter)
    WHERE status = 'pending' AND item_id IS NOT NULL;
