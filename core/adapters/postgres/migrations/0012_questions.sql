-- The archive of finished questions. It is no part of the record: no position counts it, and
-- backups leave it out, because a restored database is another instance, without questions.
CREATE TABLE questions (
    workflow_id text COLLATE "C" PRIMARY KEY,
    library_id text COLLATE "C",
    status text NOT NULL,
    query text,
    stage text,
    started_us bigint NOT NULL,
    ended_us bigint NOT NULL,
    content text NOT NULL
);

CREATE INDEX questions_by_end ON questions (ended_us, workflow_id);
