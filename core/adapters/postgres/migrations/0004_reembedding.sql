-- The version of a chunk whose `version` is that of a change of the model; else NULL.
ALTER TABLE chunks ADD COLUMN content_version bigint;
ALTER TABLE chunks_history ADD COLUMN content_version bigint;

-- The embeddings of chunks by another model than their library's, and the chunks' versions then.
CREATE TABLE staged_embeddings (
    library_id text COLLATE "C" NOT NULL REFERENCES libraries (id) ON DELETE CASCADE,
    model text COLLATE "C" NOT NULL,
    chunk_id text COLLATE "C" NOT NULL,
    chunk_version bigint NOT NULL,
    embedding bytea NOT NULL,
    PRIMARY KEY (library_id, model, chunk_id)
);

ALTER TABLE staged_embeddings ALTER COLUMN embedding SET STORAGE EXTERNAL;

CREATE TABLE model_changes (
    library_id text COLLATE "C" PRIMARY KEY REFERENCES libraries (id) ON DELETE CASCADE,
    state text NOT NULL,
    workflow_id text COLLATE "C" NOT NULL,
    old_model text COLLATE "C" NOT NULL,
    old_dimension bigint NOT NULL,
    new_model text COLLATE "C" NOT NULL,
    new_dimension bigint NOT NULL,
    staged bigint NOT NULL,
    total bigint NOT NULL,
    keeps_old bigint NOT NULL,
    comparison text,
    error text,
    started_at timestamptz NOT NULL,
    switched_at timestamptz,
    ended_at timestamptz
);
