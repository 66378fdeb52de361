-- What backups need: whose database it is, rows that were replaced or deleted, and who asked for them.
ALTER TABLE cluster ADD COLUMN database_id text NOT NULL DEFAULT '';
UPDATE cluster SET database_id = replace(gen_random_uuid()::text, '-', '');

-- Off until the first backup. While it is on, the state at each position from `history_from` can
-- be told: rows of that version or an earlier one, and of the history those with a later `until`.
ALTER TABLE cluster ADD COLUMN keeps_history boolean NOT NULL DEFAULT false;
ALTER TABLE cluster ADD COLUMN history_from bigint NOT NULL DEFAULT 0;

-- The position of the write that the answer was given to.
ALTER TABLE replays ADD COLUMN version bigint NOT NULL DEFAULT 0;

-- Where backups go, and the position of the last there: log and history after it are kept.
CREATE TABLE backups (
    repository text PRIMARY KEY,
    position bigint NOT NULL,
    at timestamptz NOT NULL
);

-- The columns of the tables in their order, and the position at which the row was superseded.
CREATE TABLE libraries_history (LIKE libraries, until bigint NOT NULL);
CREATE TABLE documents_history (LIKE documents, until bigint NOT NULL);
CREATE TABLE chunks_history (LIKE chunks INCLUDING STORAGE, until bigint NOT NULL);

CREATE INDEX libraries_history_by_until ON libraries_history (until);
CREATE INDEX documents_history_by_until ON documents_history (until);
CREATE INDEX chunks_history_by_until ON chunks_history (until);

-- A statement at a time: while no history is kept it costs one look, however many rows there are.
-- A row put twice in one write was never seen in between.
CREATE FUNCTION keep_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    SELECT position INTO reached FROM cluster WHERE keeps_history;
    IF FOUND THEN
        EXECUTE format(
            'INSERT INTO %I SELECT superseded.*, $1 FROM superseded WHERE version < $1',
            TG_TABLE_NAME || '_history'
        ) USING reached;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER libraries_replaced AFTER UPDATE ON libraries
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
CREATE TRIGGER libraries_deleted AFTER DELETE ON libraries
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
CREATE TRIGGER documents_replaced AFTER UPDATE ON documents
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
CREATE TRIGGER documents_deleted AFTER DELETE ON documents
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
CREATE TRIGGER chunks_replaced AFTER UPDATE ON chunks
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
CREATE TRIGGER chunks_deleted AFTER DELETE ON chunks
REFERENCING OLD TABLE AS superseded FOR EACH STATEMENT EXECUTE FUNCTION keep_superseded();
