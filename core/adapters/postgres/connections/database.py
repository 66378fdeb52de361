"""The address of the database, and the settings of connections to it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import UndefinedTable
from psycopg_pool import ConnectionPool

from core.adapters.postgres.connections import texts
from core.adapters.postgres.connections.durability import to_synchronous_commit
from core.adapters.postgres.connections.errors import reason_of
from core.adapters.postgres.connections.rows import Connection
from core.adapters.postgres.connections.servers import Servers
from core.adapters.postgres.connections.time_limit import time_limit
from core.domain.errors import StorageError
from core.ports.store import Durability

_POOL_WAIT_S = 5.0

_DEFAULTS = {
    "connect_timeout": "3",
    "application_name": "nalanda",
    # A server that has gone silently is given up within seconds, as in a failover.
    "keepalives_idle": "3",
    "keepalives_interval": "1",
    "keepalives_count": "3",
    "tcp_user_timeout": "3000",
}

# A process that hangs in a write blocks a takeover for `idle_in_transaction_session_timeout` at
# most.
_WRITER_SETTINGS = {
    "TimeZone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "300s",
    "idle_in_transaction_session_timeout": "60s",
}
_READER_SETTINGS = {
    "TimeZone": "UTC",
    "lock_timeout": "10s",
    "statement_timeout": "300s",
    "idle_in_transaction_session_timeout": "600s",
}
_LIMITS = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
_CONNECT_S = 2
"""The shortest timeout that libpq has."""
_READ_IDENTITY = "SELECT database_id FROM cluster"
_SET = "SELECT set_config(key, value, false) FROM json_each_text(%s) AS settings (key, value)"


class OtherDatabase(psycopg.OperationalError):
    """A connection to another database than the one that this process has opened."""


class Database:
    """The address of a database; neither `address` nor any error text contains the password.

    Once `instance_id` is set, a connection to a database with another one is refused: the address
    may lead to another server by then. Of several servers, that of the last connection is tried
    first: another one may be out of reach, and cost the whole time limit of a connection.
    """

    def __init__(self, url: str) -> None:
        """Parse the URL, without a connection.

        Raises:
            StorageError: `url` is no PostgreSQL URL.
        """
        try:
            parameters = conninfo_to_dict(url)
        except psycopg.Error:  # which quotes the URL
            raise StorageError("NALANDA_DATABASE_URL can't be read as a PostgreSQL URL.") from None
        host = str(parameters.get("host", "localhost"))
        if "@" in host:
            raise StorageError("NALANDA_DATABASE_URL: write an @ in the password as %40.")
        self._parameters = {**_DEFAULTS, **parameters}
        self._servers = Servers.of(parameters)
        self.address = f"{host}:{parameters.get('port', 5432)}/{parameters.get('dbname', '')}"
        self.instance_id: str | None = None

    @property
    def conninfo(self) -> str:
        """Return libpq's connection string of now."""
        return make_conninfo("", **{**self._parameters, **self._servers.parameters})

    @contextmanager
    def opening_errors(self) -> Iterator[None]:
        """Add the database's address to the errors of a block that opens a connection.

        Raises:
            StorageError: the block raised an error of psycopg, or a `StorageError`.
        """
        try:
            yield
        except psycopg.Error as error:
            raise StorageError(f"{self.address} can't be opened: {reason_of(error)}") from error
        except StorageError as error:
            raise StorageError(f"{self.address} can't be opened: {error}") from error

    def connect(self, durability: Durability) -> Connection:
        """Open a connection for writing.

        Raises:
            psycopg.Error: the server can't be reached or refuses.
        """
        connection = psycopg.connect(self.conninfo, autocommit=True)
        try:
            set_up_writer(connection, durability)
            self._admit(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def connect_to_listen(self, channel: str) -> Connection:
        """Open a connection that gets the notifications of a channel from now on.

        Raises:
            psycopg.Error: the server can't be reached or refuses.
        """
        connection = psycopg.connect(self.conninfo, autocommit=True)
        try:
            self._admit(connection)
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            connection.close()
            raise
        return connection

    def connect_with_limit(self, limit_s: float) -> Connection:
        """Open a connection on which the server ends each statement after `limit_s`.

        Raises:
            psycopg.Error: the server can't be reached or refuses.
        """
        limit = f"{limit_s * 1000:.0f}ms"
        limits = dict.fromkeys(_LIMITS, limit)
        connection = psycopg.connect(self.conninfo, autocommit=True, connect_timeout=_CONNECT_S)
        try:
            with time_limit(connection, limit_s):
                _set(connection, {"TimeZone": "UTC", **limits})
                self._admit(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def set_up_reader(self, connection: Connection) -> None:
        """Prepare a new connection for reading.

        Raises:
            psycopg.Error: the server refuses.
        """
        _set(connection, _READER_SETTINGS)
        self._admit(connection)

    def _admit(self, connection: Connection) -> None:
        self._check_identity(connection)
        self._servers.prefer(connection.info.host, connection.info.port)

    def _check_identity(self, connection: Connection) -> None:
        if self.instance_id is None:
            return
        try:
            ((found,),) = connection.execute(_READ_IDENTITY).fetchall()
        except UndefinedTable:
            found = None
        if found != self.instance_id:
            raise OtherDatabase(
                f"{self.address} leads to another database now: its id is {found}, and that of the"
                f" one which this server has opened is {self.instance_id}. Let the address lead to"
                " that one, or restart the server to serve the other one"
            )


def set_up_writer(connection: Connection, durability: Durability) -> None:
    _set(connection, _WRITER_SETTINGS)
    _set_durability(connection, durability)


def open_pool(database: Database, name: str, *, connections: int) -> ConnectionPool:
    """Open a pool of durable connections for what is no part of the record.

    It connects at the first use, and each statement is a transaction.
    """
    return ConnectionPool(
        lambda: database.conninfo,
        kwargs={"autocommit": True},
        configure=lambda connection: set_up_writer(connection, "full"),
        check=ConnectionPool.check_connection,
        min_size=0,
        max_size=connections,
        timeout=_POOL_WAIT_S,
        name=name,
        open=True,
    )


def _set(connection: Connection, settings: dict[str, str]) -> None:
    texts.register(connection.adapters)
    connection.execute(_SET, (json.dumps(settings),))


def _set_durability(connection: Connection, durability: Durability) -> None:
    ((server_s,),) = connection.execute("SHOW synchronous_commit").fetchall()
    wanted = to_synchronous_commit(durability, server_s)
    if wanted != server_s:
        _set(connection, {"synchronous_commit": wanted})
