-- The libraries that a node holds, of those that are placed on some nodes only; null: all of them.
-- The revision changes with the holdings, so that other nodes read them only when they have changed.
ALTER TABLE nodes ADD COLUMN capacity_bytes bigint;
ALTER TABLE nodes ADD COLUMN holdings text[];
ALTER TABLE nodes ADD COLUMN holdings_revision uuid NOT NULL DEFAULT gen_random_uuid();
