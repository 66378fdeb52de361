-- The version of a chunk whose `version` is that of a change of the model; else NULL.
ALTER TABLE chunks ADD COLUMN content_version INTEGER;
ALTER TABLE chunks_history ADD COLUMN content_version INTEGER;

DROP TRIGGER chunks_replaced;
CREATE TRIGGER chunks_replaced BEFORE UPDATE ON chunks
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO chunks_history (id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, content_version, until)
    SELECT id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, content_version, (SELECT position FROM cluster)
    FROM chunks WHERE rowid = OLD.rowid;
END;

DROP TRIGGER chunks_deleted;
CREATE TRIGGER chunks_deleted BEFORE DELETE ON chunks
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO chunks_history (id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, content_version, until)
    SELECT id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, content_version, (SELECT position FROM cluster)
    FROM chunks WHERE rowid = OLD.rowid;
END;

-- The embeddings of chunks by another model than their library's, and the chunks' versions then.
-- With a rowid, as `chunks`.
CREATE TABLE staged_embeddings (
    library_id TEXT NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    model TEXT NOT NULL,
    chunk_id TEXT NOT NULL,
    chunk_version INTEGER NOT NULL,
    embedding BLOB NOT NULL,
    PRIMARY KEY (library_id, model, chunk_id)
) STRICT;

CREATE TABLE model_changes (
    library_id TEXT PRIMARY KEY REFERENCES libraries (id) ON DELETE CASCADE,
    state TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    old_model TEXT NOT NULL,
    old_dimension INTEGER NOT NULL,
    new_model TEXT NOT NULL,
    new_dimension INTEGER NOT NULL,
    staged INTEGER NOT NULL,
    total INTEGER NOT NULL,
    keeps_old INTEGER NOT NULL,
    comparison TEXT,
    error TEXT,
    started_at TEXT NOT NULL,
    switched_at TEXT,
    ended_at TEXT
) STRICT;
