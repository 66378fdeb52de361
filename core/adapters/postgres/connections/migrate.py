"""Migrations: create the tables in an empty database, or update those of an older program.

The format's number is that of the last file of `migrations/` that was run. The table
`nalanda_format` has the number, and marks the database as Nalanda's.
"""

from pathlib import Path

from core.adapters.postgres.connections.database import Database
from core.adapters.postgres.connections.rows import Connection, fetch
from core.domain.errors import StorageError

MIGRATIONS = sorted((Path(__file__).parents[1] / "migrations").glob("*.sql"))

_OLDEST_SERVER = 14
LOCK = 0x4E_41_4C_44
"""`NALD`: the advisory lock under which migrations run."""

_SCHEMA = "SELECT current_schema(), current_setting('server_encoding')"
_OURS = "SELECT to_regclass(quote_ident(current_schema()) || '.nalanda_format') IS NOT NULL"
# Relations of extensions belong to no program.
_ANYTHING = """
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e') LIMIT 1
"""
_MARK = """
CREATE TABLE nalanda_format (
    number integer PRIMARY KEY, since timestamptz NOT NULL DEFAULT now()
)
"""


def migrate(connection: Connection) -> None:
    """Run all missing migrations in one transaction; concurrent calls wait, then do nothing.

    Raises:
        StorageError: the server is too old, or the database is another program's or newer than
            this program.
        psycopg.Error: a statement failed.
    """
    with connection.transaction():
        connection.execute("SET LOCAL statement_timeout = 0")
        connection.execute("SET LOCAL lock_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        check_server(connection)
        done = format_of(connection)
        if done is None:
            done = 0
            connection.execute(_MARK)
        for number, script in enumerate(MIGRATIONS[done:], start=done + 1):
            connection.execute(script.read_bytes())
            connection.execute("INSERT INTO nalanda_format (number) VALUES (%s)", (number,))


def examine(url: str) -> str:
    """Return one line on the server's version and the database's format; change nothing.

    Raises:
        StorageError: the database can't be used.
    """
    database = Database(url)
    with database.opening_errors(), database.connect("full") as connection:
        check_server(connection)
        done = format_of(connection)
        number = connection.info.server_version
        version = f"PostgreSQL {number // 10_000}.{number % 10_000}"
        state = "empty, to be set up" if done is None else f"format {done} of {len(MIGRATIONS)}"
        ((fsync,),) = fetch(connection, "SHOW fsync")
    if fsync == "off":
        raise StorageError(f"{database.address} runs with fsync off: a power cut destroys it.")
    return f"{version} at {database.address}, {state}"


def check_server(connection: Connection) -> None:
    version = connection.info.server_version // 10_000
    if version < _OLDEST_SERVER:
        raise StorageError(f"It is PostgreSQL {version}; {_OLDEST_SERVER} or newer is needed.")
    ((schema, encoding),) = fetch(connection, _SCHEMA)
    if schema is None:
        raise StorageError("There is no schema that its search_path names.")
    if encoding != "UTF8":
        raise StorageError(f"Its encoding is {encoding}; UTF8 is needed.")


def format_of(connection: Connection) -> int | None:
    """Return the number of migrations that were run, or `None` for an empty database.

    Raises:
        StorageError: the database is another program's, or newer than this program.
    """
    ((ours,),) = fetch(connection, _OURS)
    if not ours:
        if fetch(connection, _ANYTHING):
            raise StorageError("The database is another program's; Nalanda leaves it unchanged.")
        return None
    ((number,),) = fetch(connection, "SELECT coalesce(max(number), 0) FROM nalanda_format")
    if number > len(MIGRATIONS):
        raise StorageError(newer_format(number))
    return int(number)


def newer_format(number: int) -> str:
    """Return the problem of a program with a database whose format is not known yet."""
    return (
        f"A newer Nalanda has written it (format {number}; this one knows up to {len(MIGRATIONS)})."
    )
