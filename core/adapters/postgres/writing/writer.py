"""The writing connection, which sends the write sets of a group in one transaction."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import psycopg

from core.adapters.group_commit import AfterCommit
from core.adapters.postgres.connections.durability import refusal
from core.adapters.postgres.connections.errors import (
    is_lost,
    is_not_synchronous,
    is_of_the_write,
    is_refusal,
    nalanda_error,
    postgres_errors,
)
from core.adapters.postgres.connections.statements import Statement
from core.adapters.postgres.writing.fence import Fence
from core.adapters.postgres.writing.write_sets import (
    ChunkPut,
    Write,
    WriteSet,
    to_log,
    to_statements,
)
from core.adapters.postgres.writing.writing_session import WritingSession
from core.adapters.sql.columns import Row
from core.domain.errors import StorageError, Unavailable

_OUTCOME_TIMEOUT_S = 20.0
"""The time that a write with an interrupted COMMIT waits for the database to come back."""

_PAUSE_S = 0.1

_MAX_UNSENT_ROWS = 1_000
"""The rows of chunks that a group collects before it sends them."""

_BEGIN = Statement(b"BEGIN ISOLATION LEVEL READ COMMITTED")
_MOVE = b"UPDATE cluster SET position = %s"
_REQUIRE_SYNCHRONOUS = Statement(b"SELECT require_synchronous()")
_COMMIT = Statement(b"COMMIT")

_ERRORS = (psycopg.Error, ValueError)
"""The errors of statements; `ValueError` is that of a text with a lone surrogate."""


class Writer:
    """The transaction of `core.adapters.group_commit` on PostgreSQL.

    Each unit has a write set, which is sent when a unit of the group reads, and at the latest with
    the COMMIT. A group without reads is two round trips: one with the fence and the writes of all
    its units, in as few statements as possible, and one with their entries in the log and the
    COMMIT.

    A unit has its position before the server knows of it, because the fence lets a transaction
    begin only at the position that this process has written last. So whatever ends a transaction
    before its COMMIT, its write sets may be sent again: by the fence nothing has changed since.
    After an error of a statement they are sent one by one, each behind a savepoint, to find the
    unit that fails.

    After a connection is lost during COMMIT, the writer looks in the log for the transaction's
    outcome. If the outcome stays unknown for `outcome_timeout_s`, the write fails. The writer looks
    again before the next write, and then notifies listeners, still in order.
    """

    def __init__(
        self,
        session: WritingSession,
        fence: Fence,
        *,
        require_synchronous: bool = False,
        outcome_timeout_s: float = _OUTCOME_TIMEOUT_S,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.is_open = False
        self._session = session
        self._fence = fence
        self._last_steps = [_REQUIRE_SYNCHRONOUS, _COMMIT] if require_synchronous else [_COMMIT]
        self._outcome_timeout_s = outcome_timeout_s
        self._pause = pause
        self._joined: list[WriteSet] = []
        self._has_begun = False
        self._has_writes = False
        self._unsent_rows = 0
        self._uncertain: list[WriteSet] = []
        self._start_unit()

    def begin(self) -> None:
        with postgres_errors():
            self._settle()
        self._joined, self._unsent_rows = [], 0
        self._has_begun = self._has_writes = False
        self.is_open = True
        self._start_unit()

    def commit(self) -> None:
        with postgres_errors():
            try:
                self._commit_once()
            except _ERRORS as error:
                self._undo()
                self._prepare_to_resend(error, self._joined[1:])
                self._resend_one_by_one()
                self._commit_once()
        self._fence.advance(self._joined[-1].position, self._joined[-1].hash)
        self.is_open = False

    def rollback(self) -> None:
        self.is_open = False
        self._undo()

    def set_savepoint(self) -> None:
        self._start_unit()

    def release_savepoint(self) -> None:
        pass  # the unit has joined the group

    def undo_to_savepoint(self) -> None:
        if self.write_set.sent:
            self._undo()

    def fetch(self, statement: Statement) -> list[Row]:
        """Return the rows of a statement that changes nothing.

        Raises:
            Unavailable: a later epoch has begun.
            psycopg.Error: a statement failed.
        """
        return self._run(statement).fetchall()

    def fetch_changed(self, statement: Statement) -> list[Row]:
        """Run a statement that changes rows; return those of its RETURNING.

        Raises:
            Unavailable: a later epoch has begun.
            psycopg.Error: a statement failed.
        """
        self.write(statement)
        return self._run().fetchall()

    def write(self, write: Write) -> None:
        """Add a write to the unit's, to be sent later."""
        self.write_set.writes.append(write)
        if isinstance(write, ChunkPut):
            self._unsent_rows += len(write.rows)

    def join(self, at: str, changes: str, after_commit: AfterCommit) -> None:
        """Add the unit to the group, with its entry in the log (RFC 3339, JSON) and last step.

        Raises:
            StorageError: a statement of the unit has failed.
            psycopg.Error: the unit's writes, too many to keep, could not be sent.
        """
        unit = self.write_set
        if unit.error is not None:
            raise StorageError("An error has ended the transaction.") from unit.error
        if self._unsent_rows > _MAX_UNSENT_ROWS:
            self._run()
        unit.at, unit.changes, unit.after_commit = at, changes, after_commit
        self._joined.append(unit)

    @property
    def position(self) -> int:
        """Return the position of the last write that is on record, or of the start."""
        return self._fence.position

    def abandon(self) -> None:
        """Let the units that have begun fail now, even if the database does not answer."""
        self._session.abandon()

    def close(self) -> None:
        self._session.close()

    def _start_unit(self) -> None:
        last = self._joined[-1].position if self._joined else self._fence.position
        self.write_set = WriteSet(last + 1)

    def _run(self, *reads: Statement) -> psycopg.Cursor[Row]:
        """Send all writes so far, and the reads; return the cursor of the last statement."""
        unit = self.write_set
        try:
            try:
                return self._send([*self._joined, unit], *reads)
            except _ERRORS as error:
                unsent = [other for other in self._joined if other.unsent]
                self._undo()
                self._prepare_to_resend(error, unsent)
                self._resend_one_by_one()
                return self._send([unit], *reads)
        except _ERRORS as error:
            unit.error = nalanda_error(error)
            self._undo()
            raise

    def _send(self, units: Sequence[WriteSet], *then: Statement) -> psycopg.Cursor[Row]:
        """Send the unsent writes of units, and other statements, in one round trip."""
        self._has_writes |= any(unit.unsent for unit in units)
        cursor = self._session.run([*self._statements(units), *then])
        self._has_begun = True
        for unit in units:
            unit.sent = len(unit.writes)
        self._unsent_rows = 0
        return cursor

    def _statements(self, units: Sequence[WriteSet]) -> Iterator[Statement]:
        if not self._has_begun:
            yield _BEGIN
            yield self._fence.statement
        if self._fence.keeps_history:  # the history's rows have the position of `cluster`
            for unit in units:
                if unit.unsent:
                    yield Statement(_MOVE, (unit.position,))
                    yield from to_statements(unit.unsent)
        else:
            yield from to_statements(write for unit in units for write in unit.unsent)

    def _undo(self) -> None:
        """Undo on the server what has been sent; it may be sent again."""
        self._session.undo(has_writes=self._has_writes)
        self._has_begun = self._has_writes = False
        for unit in [*self._joined, self.write_set]:
            unit.sent = 0

    def _prepare_to_resend(
        self, error: psycopg.Error | ValueError, suspects: Sequence[WriteSet]
    ) -> None:
        """Raise the error, unless the writes may succeed when they are sent again one by one.

        Raises:
            Unavailable: a later epoch has begun.
            StorageUnavailable: the record is not at the position at which this process left it.
            StorageUnavailable: the writes have to be synchronous, and would not be.
        """
        if is_lost(error):
            if self._session.is_lost:
                self._session.reconnect()
        elif is_refusal(error):
            self._fence.look_again(self._session.connection)
        elif is_not_synchronous(error):
            raise refusal(self._session.read_durability())
        elif not (suspects and is_of_the_write(error)):
            raise error

    def _resend_one_by_one(self) -> None:
        """Send each joined unit behind a savepoint; one that fails leaves an empty entry."""
        self._pass_fence()
        for unit in self._joined:
            try:
                with self._session.connection.transaction():
                    self._send([unit])
            except _ERRORS as error:
                if not is_of_the_write(error):
                    raise
                unit.fail(nalanda_error(error))

    def _pass_fence(self) -> None:
        """Begin the transaction again, on a server that may have failed over.

        Raises:
            Unavailable: a later epoch has begun.
            StorageUnavailable: the record is not as this process left it.
        """
        try:
            self._send([])
        except psycopg.Error as error:
            if is_refusal(error):
                self._undo()
                self._fence.look_again(self._session.connection)
            raise

    def _commit_once(self) -> None:
        """Send the rest of the group with its COMMIT.

        Raises:
            psycopg.Error: the group is not on record.
            Unavailable: the group may be on record.
        """
        group = self._joined
        log = to_log(group, self._fence.epoch, self._fence.log_hash)
        if not self._has_begun:  # a COMMIT never travels before the fence has locked its row
            self._send(group)
        self._has_writes = True
        try:
            self._session.warning = None
            self._send(group, log, *self._last_steps)
        except psycopg.Error as error:
            if self._session.was_refused(error) or not self._wait_for_outcome(group):
                raise
        if self._session.warning is not None:
            for unit in group:
                unit.doubt = Unavailable(
                    "The write is on record, and no standby has confirmed it: it is lost if the"
                    f" database fails over now. PostgreSQL: {self._session.warning}."
                )

    def _wait_for_outcome(self, group: list[WriteSet]) -> bool:
        """Return whether the COMMIT whose connection was lost has succeeded.

        Raises:
            Unavailable: the database does not come back in time.
        """
        deadline_s = time.monotonic() + self._outcome_timeout_s
        while True:
            try:
                return self._is_on_record(group)
            except psycopg.Error as error:
                if time.monotonic() > deadline_s:
                    self._uncertain = group
                    raise Unavailable(
                        "The connection to the database was lost during the commit, and the outcome"
                        " is not known yet: the write may be on record."
                    ) from error
            self._pause(_PAUSE_S)

    def _settle(self) -> None:
        """Find the outcome of the last uncertain COMMIT, and notify listeners if it succeeded.

        Raises:
            psycopg.Error: the database can't be reached.
        """
        if not self._uncertain:
            return
        on_record = self._is_on_record(self._uncertain)
        uncertain, self._uncertain = self._uncertain, []
        if on_record:
            self._fence.advance(uncertain[-1].position, uncertain[-1].hash)
            _notify(uncertain)

    def _is_on_record(self, group: list[WriteSet]) -> bool:
        """Return whether a group's units are on record; all of them are, or none.

        Raises:
            psycopg.Error: the database can't be reached.
        """
        return self._session.has_entry(group[-1].position, group[-1].hash)


def _notify(units: Iterable[WriteSet]) -> None:
    for unit in units:
        if unit.after_commit is not None:
            unit.after_commit()
