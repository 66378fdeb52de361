-- Uploaded files, which the ingestions of all nodes read. They are no part of the record: no
-- position counts them, and backups leave them out.
CREATE TABLE uploads (
    sha256 text PRIMARY KEY,
    size_bytes bigint NOT NULL,
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE upload_pieces (
    sha256 text NOT NULL REFERENCES uploads (sha256) ON DELETE CASCADE,
    number integer NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (sha256, number)
);

CREATE TABLE upload_references (
    ingestion text NOT NULL,
    sha256 text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (ingestion, sha256)
);

CREATE INDEX upload_references_by_hash ON upload_references (sha256);
