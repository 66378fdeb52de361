-- What backups need: whose database it is, rows that were replaced or deleted, and who asked for them.
ALTER TABLE cluster ADD COLUMN database_id TEXT NOT NULL DEFAULT '';
UPDATE cluster SET database_id = lower(hex(randomblob(16)));

-- Off until the first backup. While it is on, the state at each position from `history_from` can
-- be told: rows of that version or an earlier one, and of the history those with a later `until`.
ALTER TABLE cluster ADD COLUMN keeps_history INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cluster ADD COLUMN history_from INTEGER NOT NULL DEFAULT 0;

-- The position of the write that the answer was given to.
ALTER TABLE replays ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- Where backups go, and the position of the last there: log and history after it are kept.
CREATE TABLE backups (
    repository TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The columns of the tables in their order, and the position at which the row was superseded.
CREATE TABLE libraries_history (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    metadata TEXT NOT NULL,
    metadata_schema TEXT,
    dimension INTEGER,
    metric TEXT NOT NULL,
    "index" TEXT NOT NULL,
    embedding_model TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    language TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE documents_history (
    id TEXT NOT NULL,
    library_id TEXT NOT NULL,
    title TEXT,
    source TEXT,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE TABLE chunks_history (
    id TEXT NOT NULL,
    library_id TEXT NOT NULL,
    document_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    text TEXT NOT NULL,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    embedding BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT;

CREATE INDEX libraries_history_by_until ON libraries_history (until);
CREATE INDEX documents_history_by_until ON documents_history (until);
CREATE INDEX chunks_history_by_until ON chunks_history (until);

-- The row is read again by its key: a trigger that named its columns would have them read, long
-- embeddings too, even while no history is kept. A row put twice in one write was never seen.
CREATE TRIGGER libraries_replaced BEFORE UPDATE ON libraries
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO libraries_history
    SELECT *, (SELECT position FROM cluster) FROM libraries WHERE id = OLD.id;
END;

CREATE TRIGGER libraries_deleted BEFORE DELETE ON libraries
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO libraries_history
    SELECT *, (SELECT position FROM cluster) FROM libraries WHERE id = OLD.id;
END;

CREATE TRIGGER documents_replaced BEFORE UPDATE ON documents
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO documents_history
    SELECT *, (SELECT position FROM cluster) FROM documents
    WHERE library_id = OLD.library_id AND id = OLD.id;
END;

CREATE TRIGGER documents_deleted BEFORE DELETE ON documents
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO documents_history
    SELECT *, (SELECT position FROM cluster) FROM documents
    WHERE library_id = OLD.library_id AND id = OLD.id;
END;

CREATE TRIGGER chunks_replaced BEFORE UPDATE ON chunks
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO chunks_history
    SELECT *, (SELECT position FROM cluster) FROM chunks WHERE rowid = OLD.rowid;
END;

CREATE TRIGGER chunks_deleted BEFORE DELETE ON chunks
WHEN (SELECT keeps_history = 1 AND position > OLD.version FROM cluster)
BEGIN
    INSERT INTO chunks_history
    SELECT *, (SELECT position FROM cluster) FROM chunks WHERE rowid = OLD.rowid;
END;
