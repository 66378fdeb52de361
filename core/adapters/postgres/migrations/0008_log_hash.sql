-- The hash of the log up to each entry; entries from before the chain have 32 zero bytes.
ALTER TABLE log ADD COLUMN hash bytea NOT NULL
    DEFAULT '\x0000000000000000000000000000000000000000000000000000000000000000';

-- The fence compares the log's hash as well: a database that was set back, and written again up to
-- the same position in an epoch of the same number, has another one.
CREATE FUNCTION hash_at(seen bigint) RETURNS bytea LANGUAGE sql AS $$
    SELECT coalesce((SELECT hash FROM log WHERE position = seen), decode(repeat('00', 32), 'hex'))
$$;
DROP FUNCTION pass_fence(bigint, bigint, boolean);
CREATE FUNCTION pass_fence(mine bigint, seen bigint, seen_hash bytea, keeps boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM cluster WHERE epoch = mine AND position = seen AND keeps_history = keeps
    FOR UPDATE;
    IF NOT FOUND OR seen_hash <> hash_at(seen) THEN
        RAISE EXCEPTION 'the fence is closed to epoch % at position %', mine, seen
        USING ERRCODE = 'NA001';
    END IF;
END
$$;

-- The cluster and the timeline of PostgreSQL in which each epoch began: both show whether the
-- database was replaced or has failed over. NULL where this role may not read them.
CREATE TABLE epochs (
    epoch bigint PRIMARY KEY,
    position bigint NOT NULL,
    at timestamptz NOT NULL,
    system_identifier bigint,
    timeline integer
);

-- The timeline of the last checkpoint may be the one before a failover; that of the next WAL record
-- is not.
CREATE FUNCTION current_origin(OUT system_identifier bigint, OUT timeline integer)
LANGUAGE plpgsql AS $$
BEGIN
    IF has_function_privilege('pg_control_system()', 'EXECUTE') THEN
        SELECT control.system_identifier INTO current_origin.system_identifier
        FROM pg_control_system() AS control;
    END IF;
    IF NOT pg_is_in_recovery() AND has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE')
    THEN
        timeline := ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer;
    END IF;
END
$$;

-- By a trigger, so that no way to begin an epoch can leave it out. Epochs of no entry in the log go.
CREATE FUNCTION record_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM epochs WHERE epoch < (SELECT log.epoch FROM log ORDER BY position LIMIT 1)
        OR epoch >= NEW.epoch;
    INSERT INTO epochs SELECT NEW.epoch, NEW.position, clock_timestamp(), * FROM current_origin();
    RETURN NULL;
END
$$;
CREATE TRIGGER epoch_begun AFTER UPDATE OF epoch ON cluster
FOR EACH ROW EXECUTE FUNCTION record_epoch();
