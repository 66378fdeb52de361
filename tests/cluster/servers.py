"""A PostgreSQL primary and its standbys in places of their own, and their failovers."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import LiteralString

import psutil
import psycopg
from psycopg import sql

from tests.cluster.places import Place
from tests.postgres import packaged_server
from tests.temporal import free_port
from tests.waiting import until

DATABASE = "nalanda"
_STARTED_S = 120.0
_OPEN_TO_ALL = "local all,replication all trust\nhost all,replication all all trust\n"
_STREAMING: LiteralString = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
_RECEIVED: LiteralString = (
    "SELECT coalesce(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()) - '0/0'::pg_lsn"
)
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": "*",
    "max_connections": "200",
    "wal_keep_size": "512MB",
    "wal_retrieve_retry_interval": "200ms",
    "wal_sender_timeout": "5s",
    "wal_receiver_timeout": "5s",
}


class Server:
    """A server, whose data directory is another one after each loss."""

    def __init__(
        self, place: Place, settings: Mapping[str, str], environment: Mapping[str, str]
    ) -> None:
        self.place = place
        self.port = free_port()
        self._settings = {**_SETTINGS, **settings}
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = _new_directory()
        self._packaged = packaged_server(self._directory)

    def create(self) -> None:
        """Make an empty database server."""
        self._packaged.ensure_pgdata_inited()
        Path(self._directory, "pg_hba.conf").write_text(_OPEN_TO_ALL)

    def copy(self, source: "Server") -> None:
        """Make this server a standby of another one, without what it had before."""
        shutil.rmtree(self._directory)
        self._directory = _new_directory()
        if self._user is not None:
            os.chown(self._directory, self._user.pw_uid, self._user.pw_gid)
        address = ["-h", source.place.address, "-p", str(source.port), "-U", "postgres"]
        options = ["--wal-method=stream", "--checkpoint=fast", "--write-recovery-conf"]
        self._run("pg_basebackup", *address, *options)

    def start(self) -> None:
        """Start the server, and wait until it takes connections."""
        settings = {
            **self._settings,
            "port": str(self.port),
            "unix_socket_directories": str(self._directory),
        }
        options = [f"-c{name}={value}" for name, value in settings.items()]
        with Path(self._directory, "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._command("postgres"), *options],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._takes_connections, _STARTED_S)

    def stop(self) -> None:
        """Stop the server once its standby has all that was written."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)  # a fast shutdown
        self._process.wait(_STARTED_S)
        self._process = None

    def kill(self) -> None:
        """Kill all processes of the server with SIGKILL, as a loss of power does."""
        if self._process is None:
            return
        sessions = psutil.Process(self._process.pid).children(recursive=True)
        for each in (self._process, *sessions):
            with suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()
        psutil.wait_procs(sessions, _STARTED_S)
        self._process = None

    def follow(self, conninfo: str) -> None:
        """Let this standby stream from another primary, or from none."""
        with self.connect() as connection:
            setting = sql.SQL("ALTER SYSTEM SET primary_conninfo = {}")
            connection.execute(setting.format(sql.Literal(conninfo)))
            connection.execute("SELECT pg_reload_conf()")

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Connect by a socket in the file system, which no cut of the network concerns."""
        where = f"host={self._directory} port={self.port} dbname={database} user=postgres"
        return psycopg.connect(where, autocommit=True)

    def ask(self, question: LiteralString) -> str:
        """Return the one value of a query."""
        with self.connect() as connection:
            return str(connection.execute(question).fetchall()[0][0])

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _takes_connections(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, Path(self._directory, "server.log").read_text()
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    @property
    def _user(self) -> pwd.struct_passwd | None:
        """Return PostgreSQL's user, where this process is root's."""
        name = self._packaged.system_user
        return None if name is None else pwd.getpwnam(name)

    def _command(self, program: str) -> Sequence[str]:
        """Return the command of one of PostgreSQL's programs, which refuse to run as root."""
        as_user: Sequence[str] = ()
        if (user := self._user) is not None:
            ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            as_user = ["setpriv", *ids]
        path = str(self._packaged.bin_path / program)
        return [*self.place.prefix, *as_user, path, "-D", str(self._directory)]

    def _run(self, program: str, *options: str) -> None:
        done = subprocess.run(
            [*self._command(program), *options],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def _new_directory() -> Path:
    return Path(tempfile.mkdtemp(prefix="nalanda-server-"))


class ReplicatedServers:
    """A primary and two standbys, one of which has each acknowledged commit; the URL has all.

    If not `is_synchronous`, none of them has to have it.
    """

    def __init__(
        self,
        places: Sequence[Place],
        environment: Mapping[str, str] | None = None,
        *,
        is_synchronous: bool = True,
    ) -> None:
        settings = {"synchronous_standby_names": "ANY 1 (*)" if is_synchronous else ""}
        self._servers = [Server(place, settings, environment or {}) for place in places]
        self.primary, *standbys = self._servers
        self.primary.create()
        self.primary.start()
        for standby in standbys:
            standby.copy(self.primary)
            standby.start()
        self._wait_for_standbys()
        with self.primary.connect() as connection:
            connection.execute(f"CREATE DATABASE {DATABASE}".encode())
        addresses = ",".join(f"{each.place.address}:{each.port}" for each in self._servers)
        self.url = f"postgresql://postgres@{addresses}/{DATABASE}?target_session_attrs=read-write"

    @property
    def places(self) -> Sequence[Place]:
        """Return the places, the primary's first."""
        return [each.place for each in (self.primary, *self.standbys)]

    @property
    def standbys(self) -> Sequence[Server]:
        return [each for each in self._servers if each is not self.primary]

    def promote(self) -> Server:
        """Let the standby that has most be the primary; return the primary before."""
        most = max(self.standbys, key=lambda standby: int(standby.ask(_RECEIVED)))
        most.ask("SELECT pg_promote()")
        before, self.primary = self.primary, most
        for other in self.standbys:
            if other is not before:
                other.follow(f"host={most.place.address} port={most.port} user=postgres")
        return before

    def rejoin(self, server: Server) -> None:
        """Make a server that is down a standby, from a new copy."""
        server.copy(self.primary)
        server.start()
        self._wait_for_standbys()

    def stop_streaming(self) -> None:
        """Let the standbys get none of the later commits."""
        for standby in self.standbys:
            standby.follow("")
        until(lambda: self.primary.ask(_STREAMING) == "0", _STARTED_S)

    def close(self) -> None:
        for each in self._servers:
            each.remove()

    def _wait_for_standbys(self) -> None:
        count = str(len(self.standbys))
        until(lambda: self.primary.ask(_STREAMING) == count, _STARTED_S)
