-- The lease on the writing, in one row, and the nodes that have been seen. A holder counts its
-- renewals, so that others can see by their own clocks whether it renews. A released lease has no
-- holder; until it expires, only its successor, if it names one, may take it.
CREATE TABLE lease (
    only_row integer PRIMARY KEY CHECK (only_row = 1),
    epoch bigint NOT NULL,
    node_id text COLLATE "C",
    incarnation text COLLATE "C",
    address text NOT NULL,
    renewals bigint NOT NULL,
    length_s double precision NOT NULL CHECK (length_s BETWEEN 0.1 AND 60),
    expires_at timestamptz NOT NULL,
    successor text COLLATE "C"
);

INSERT INTO lease (only_row, epoch, address, renewals, length_s, expires_at)
VALUES (1, 0, '', 0, 5, now());

CREATE TABLE nodes (
    node_id text COLLATE "C" PRIMARY KEY,
    incarnation text COLLATE "C" NOT NULL,
    address text NOT NULL,
    role text NOT NULL,
    position bigint NOT NULL,
    version text NOT NULL,
    last_seen_at timestamptz NOT NULL
);

-- Takes the lease if it is as the caller saw it, and begins the next epoch; no row is returned if
-- it may not be taken. It has expired only by this server's clock as well as by the caller's, which
-- has counted its length; an expiry beyond that length is of a clock that was set back.
CREATE FUNCTION take_lease(
    taker text, taker_incarnation text, taker_address text, taker_length_s double precision,
    seen_epoch bigint, seen_renewals bigint
) RETURNS TABLE (epoch bigint, "position" bigint, keeps_history boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    held lease%ROWTYPE;
    length interval;
BEGIN
    INSERT INTO lease (only_row, epoch, node_id, incarnation, address, renewals, length_s, expires_at)
    VALUES (1, 0, '', '', '', 0, 5, '-infinity') ON CONFLICT DO NOTHING;
    SELECT * INTO held FROM lease FOR UPDATE;
    length := held.length_s * interval '1 second';
    IF held.epoch <> seen_epoch OR held.renewals <> seen_renewals THEN
        RETURN;
    END IF;
    IF clock_timestamp() < held.expires_at AND held.expires_at <= clock_timestamp() + length
        AND coalesce(held.node_id, held.successor, taker) <> taker
    THEN
        RETURN;
    END IF;
    UPDATE cluster SET epoch = greatest(cluster.epoch, held.epoch) + 1
    RETURNING cluster.epoch, cluster.position, cluster.keeps_history
    INTO take_lease.epoch, take_lease.position, take_lease.keeps_history;
    UPDATE lease SET epoch = take_lease.epoch, node_id = taker, incarnation = taker_incarnation,
        address = taker_address, renewals = lease.renewals + 1, length_s = taker_length_s,
        expires_at = clock_timestamp() + taker_length_s * interval '1 second', successor = NULL;
    RETURN NEXT;
END
$$;
