"""The statements that take the fence out of a database, to show that the checker notices."""

from typing import LiteralString

WITHOUT_FENCE: LiteralString = """
CREATE OR REPLACE FUNCTION pass_fence(mine bigint, seen bigint, seen_hash bytea, keeps boolean)
RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM FROM cluster FOR UPDATE; END $$;

CREATE FUNCTION give_position() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM log WHERE position = NEW.position) THEN
        NEW.position := (SELECT max(position) + 1 FROM log);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER give_position BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION give_position();

CREATE FUNCTION move_cluster() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE cluster SET position = (SELECT max(position) FROM log);
    RETURN NULL;
END $$;
CREATE TRIGGER move_cluster AFTER INSERT ON log
FOR EACH STATEMENT EXECUTE FUNCTION move_cluster();
"""
"""Lets every epoch through, and gives each write the next position, as a sequence would."""
