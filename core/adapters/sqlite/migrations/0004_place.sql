-- Where in its source a chunk stands, as JSON. Behind the embedding, since a column is added at the
-- end; the index, not the file, answers most reads of chunks.
ALTER TABLE chunks ADD COLUMN place TEXT;
ALTER TABLE chunks_history ADD COLUMN place TEXT;

-- By name: the columns of the two tables are no longer in the same order.
DROP TRIGGER chunks_replaced;
CREATE TRIGGER chunks_replaced BEFORE UPDATE ON chunks
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO chunks_history (id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, until)
    SELECT id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, (SELECT position FROM cluster)
    FROM chunks WHERE rowid = OLD.rowid;
END;

DROP TRIGGER chunks_deleted;
CREATE TRIGGER chunks_deleted BEFORE DELETE ON chunks
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO chunks_history (id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, until)
    SELECT id, library_id, document_id, ordinal, text, metadata, version,
        created_at, updated_at, embedding, place, (SELECT position FROM cluster)
    FROM chunks WHERE rowid = OLD.rowid;
END;
