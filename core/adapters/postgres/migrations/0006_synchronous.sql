-- Run just before the COMMIT of writes that have to be synchronous. An error, so that a COMMIT sent
-- with it is not run after it.
CREATE FUNCTION require_synchronous() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('fsync') = 'off' OR current_setting('synchronous_standby_names') = ''
        OR current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
    THEN
        RAISE EXCEPTION 'the commit would not wait for a standby' USING ERRCODE = 'NA002';
    END IF;
END
$$;
