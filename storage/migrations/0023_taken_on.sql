-- Lines of a running project are taken on with what is known of them: orders that were placed before, deliveries,
-- verdicts. Rows that came so have the day on which they were taken on.

ALTER TABLE items ADD COLUMN taken_on date;
ALTER TABLE purchase_orders ADD COLUMN taken_on date;
ALTER TABLE purchase_orders ADD COLUMN acknowledged_on date;
ALTER TABLE receipts ADD COLUMN is_taken_on boolean NOT NULL DEFAULT false;
