-- Texts are ordered by code point (COLLATE "C"), as SQLite orders them. JSON is kept as text:
-- jsonb refuses U+0000.

CREATE TABLE cluster (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    position bigint NOT NULL,
    epoch bigint NOT NULL,
    cursor_key bytea NOT NULL
);

INSERT INTO cluster (only_row, position, epoch, cursor_key)
VALUES (1, 0, 0, sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    || uuid_send(gen_random_uuid())));

CREATE TABLE libraries (
    id text COLLATE "C" PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    description text,
    metadata text NOT NULL,
    metadata_schema text,
    dimension integer,
    metric text NOT NULL,
    index text NOT NULL,
    embedding_model text,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    language text NOT NULL
);

CREATE TABLE documents (
    id text COLLATE "C" NOT NULL,
    library_id text COLLATE "C" NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    title text,
    source text,
    metadata text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (library_id, id)
);

CREATE TABLE chunks (
    id text COLLATE "C" NOT NULL,
    library_id text COLLATE "C" NOT NULL,
    document_id text COLLATE "C" NOT NULL,
    ordinal bigint NOT NULL,
    text text NOT NULL,
    metadata text NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    embedding bytea NOT NULL,
    PRIMARY KEY (library_id, id),
    FOREIGN KEY (library_id, document_id) REFERENCES documents (library_id, id) ON DELETE CASCADE
);

-- Vectors hardly get smaller by compression; trying costs time.
ALTER TABLE chunks ALTER COLUMN embedding SET STORAGE EXTERNAL;

CREATE INDEX chunks_in_document ON chunks (library_id, document_id, ordinal, id);

-- Of questions that had closed; a question that runs takes it in itself.
CREATE TABLE feedback (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workflow_id text COLLATE "C" NOT NULL,
    rating integer NOT NULL,
    comment text,
    version bigint NOT NULL
);

CREATE INDEX feedback_of_question ON feedback (workflow_id, number);

-- What each position changed, by reference: a row put at a position has it as its version.
-- By the epoch a writer finds its own entries again after its connection broke.
CREATE TABLE log (
    position bigint PRIMARY KEY,
    epoch bigint NOT NULL,
    at timestamptz NOT NULL,
    changes text NOT NULL
);

CREATE TABLE replays (
    key text COLLATE "C" PRIMARY KEY,
    fingerprint text NOT NULL,
    status integer NOT NULL,
    headers text NOT NULL,
    body bytea NOT NULL,
    at timestamptz NOT NULL
);

CREATE INDEX replays_by_age ON replays (at);
