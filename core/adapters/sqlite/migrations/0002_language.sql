ALTER TABLE libraries ADD COLUMN language TEXT NOT NULL DEFAULT 'english';
