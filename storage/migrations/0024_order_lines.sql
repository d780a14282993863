-- How far each line of an order is, by item: the status of the order follows from all of them.

ALTER TABLE purchase_orders ADD COLUMN line_statuses jsonb NOT NULL DEFAULT '{}';
