-- Several lines for one price: they name a group, and the price is the group's. An order has a line for each of them.

ALTER TABLE items ADD COLUMN "group" text;
ALTER TABLE items ADD COLUMN group_total numeric;
CREATE INDEX items_of_group ON items (building_id, "group") WHERE "group" IS NOT NULL;

ALTER TABLE purchase_order_lines ADD COLUMN "group" text;
ALTER TABLE purchase_order_lines ADD COLUMN group_total numeric;

-- Of an order with lines of several items: how far each of them is.
ALTER TABLE purchase_order_lines ADD COLUMN status text;
ALTER TABLE purchase_order_lines ADD COLUMN cancelled_on date;
ALTER TABLE purchase_order_lines ADD COLUMN cancelled_seq bigint;
