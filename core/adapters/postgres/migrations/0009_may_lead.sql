-- A node that only ever follows is no choice for a hand-over.
ALTER TABLE nodes ADD COLUMN may_lead boolean NOT NULL DEFAULT true;
