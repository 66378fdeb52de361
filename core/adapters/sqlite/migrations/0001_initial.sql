CREATE TABLE cluster (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    position INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    cursor_key BLOB NOT NULL
) STRICT;

INSERT INTO cluster (only_row, position, epoch, cursor_key) VALUES (1, 0, 0, randomblob(32));

CREATE TABLE libraries (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    description TEXT,
    metadata TEXT NOT NULL,
    metadata_schema TEXT,
    dimension INTEGER,
    metric TEXT NOT NULL,
    "index" TEXT NOT NULL,
    embedding_model TEXT,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;

CREATE TABLE documents (
    id TEXT NOT NULL,
    library_id TEXT NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    title TEXT,
    source TEXT,
    metadata TEXT NOT NULL,
    version INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    PRIMARY KEY (library_id, id)
) STRICT, WITHOUT ROWID;

-- With a rowid: rows as long as these make a clustered primary key slower to write and to scan.
-- The embedding comes last, so that the other columns are read without its pages.
CREATE TABLE chunks (
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
    PRIMARY KEY (library_id, id),
    FOREIGN KEY (library_id, document_id) REFERENCES documents (library_id, id) ON DELETE CASCADE
) STRICT;

CREATE INDEX chunks_in_document ON chunks (library_id, document_id, ordinal, id);

-- Of questions that had closed; a question that runs takes it in itself.
CREATE TABLE feedback (
    number INTEGER PRIMARY KEY,
    workflow_id TEXT NOT NULL,
    rating INTEGER NOT NULL,
    comment TEXT,
    version INTEGER NOT NULL
) STRICT;

CREATE INDEX feedback_of_question ON feedback (workflow_id, number);

-- What each position changed, by reference: a row put at a position has it as its version.
CREATE TABLE log (
    position INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    changes TEXT NOT NULL
) STRICT;

CREATE TABLE replays (
    key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    headers TEXT NOT NULL,
    body BLOB NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX replays_by_age ON replays (at);
