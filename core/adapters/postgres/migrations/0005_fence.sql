-- A transaction of writes begins with its fence: it locks the one row of `cluster` until its end,
-- and goes no further unless the writer's epoch is the last one and the writer knows the row. An
-- error, so that statements sent with the fence are not run after it.
CREATE FUNCTION pass_fence(mine bigint, seen bigint, keeps boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM cluster WHERE epoch = mine AND position = seen AND keeps_history = keeps
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the fence is closed to epoch % at position %', mine, seen
        USING ERRCODE = 'NA001';
    END IF;
END
$$;
