-- Where in its source a chunk stands, as JSON.
ALTER TABLE chunks ADD COLUMN place text;
ALTER TABLE chunks_history ADD COLUMN place text;

-- By name: the columns of a table and of its history are no longer in the same order.
CREATE OR REPLACE FUNCTION keep_superseded() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    columns text;
BEGIN
    SELECT position INTO reached FROM cluster WHERE keeps_history;
    IF FOUND THEN
        SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) INTO columns
        FROM pg_attribute WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped;
        EXECUTE format(
            'INSERT INTO %I (%s, until) SELECT %s, $1 FROM superseded WHERE version < $1',
            TG_TABLE_NAME || '_history', columns, columns
        ) USING reached;
    END IF;
    RETURN NULL;
END
$$;
