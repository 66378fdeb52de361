"""Group commit: writes that come at the same time share one COMMIT, and so one fsync.

Units of work run one at a time, in the order in which they came, within one transaction of the
engine; each but the first within a savepoint, so that one that fails is undone alone. A unit
that is done hands the turn to the next and waits; the one after which nobody waits commits for
all. Where writes come singly, each is a transaction, as it would be without this.

The scheme is that of DeWitt et al., "Implementation techniques for main memory database
systems", 1984.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from threading import Event
from typing import Protocol, TypeAlias

from core import crash_points
from core.adapters.fair_lock import FairLock
from core.domain.errors import NalandaError, StorageError, Unavailable

WAIT_S = 30.0
"""How long a unit waits for its turn."""

MOST_UNITS = 64
LONGEST_S = 0.02
"""From a group's first unit on; then it is committed, even if others wait for their turn."""

AfterCommit: TypeAlias = Callable[[], None]
"""Tells the listeners of one unit; called once it is on the disk. It raises nothing."""

CommitUnit: TypeAlias = Callable[[AfterCommit], None]
"""A unit's last step. It returns once the unit is on the disk and told of.

Raises: StorageError, Unavailable: it is not on record, nor is any other of its group.
"""


class Transaction(Protocol):
    """What an engine does on its one connection that writes; errors are the project's own."""

    @property
    def is_open(self) -> bool:
        """Also `False` where an error has made the engine roll back all of it."""
        ...

    def begin(self) -> None: ...

    def commit(self) -> None:
        """Returns once everything is on the disk. Until then no reader sees any of it."""
        ...

    def rollback(self) -> None: ...

    def mark(self) -> None:
        """A savepoint; there is one at a time."""
        ...

    def keep(self) -> None:
        """What was done since the mark; the mark is gone."""
        ...

    def undo(self) -> None:
        """What was done since the mark; the mark is gone."""
        ...


class _Group:
    """Units that share their COMMIT, and whose fate is one."""

    def __init__(self, began_s: float) -> None:
        self.began_s = began_s
        self.after_commits: list[AfterCommit] = []
        self._ended = Event()
        self._error: NalandaError | None = None

    def end(self, error: BaseException | None = None) -> None:
        if error is not None:
            self._error = _of_all(error)
        self._ended.set()

    def wait(self) -> None:
        self._ended.wait()
        if self._error is not None:
            raise copy(self._error) from self._error  # each thread has a traceback of its own


class GroupCommit:
    """One for each connection that writes; any number of threads may call it."""

    def __init__(
        self,
        transaction: Transaction,
        *,
        wait_s: float = WAIT_S,
        most_units: int = MOST_UNITS,
        longest_s: float = LONGEST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transaction = transaction
        self._wait_s = wait_s
        self._most_units = most_units
        self._longest_s = longest_s
        self._clock = clock
        self._lock = FairLock()
        # These two belong to whoever has the turn.
        self._group: _Group | None = None
        self._closed = False

    @contextmanager
    def unit(self, *, settled: bool = False) -> Iterator[CommitUnit]:
        """One unit of work; left without its commit, nothing of it happened.

        It sees what earlier units of its group did, which is safe as it shares their fate: also
        one that fails, for what it found there, is let go when they are on the disk.
        `settled`: it begins when all before it are committed and told of.

        Raises:
            Unavailable: its turn did not come in time. StorageError: closed, or the engine's.
        """
        joined = False

        def commit(after_commit: AfterCommit) -> None:
            nonlocal joined
            group = self._join(after_commit)
            joined = True
            self._leave()
            group.wait()

        self._take()
        try:
            self._begin(settled)
            yield commit
        except BaseException as error:
            if not joined:
                self._give_up(error)
            raise
        if not joined:
            self._give_up(None)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """A turn in which nothing is pending and no transaction is open."""
        self._take()
        try:
            self._end_group()
            yield
        finally:
            self._leave()

    def close(self) -> bool:
        """Ends what is pending; later units are refused. `False`: it was closed already."""
        if self._closed:
            return False
        with self.alone():
            self._closed = True
        return True

    def _take(self) -> None:
        if not self._lock.take(self._wait_s):
            raise Unavailable("Other writes take too long.")
        if self._closed:
            self._lock.leave()
            raise StorageError("The store is closed.")

    def _leave(self) -> None:
        """Hands the turn on, or commits for all if nobody waits or the group is large enough."""
        if self._group is None:
            self._lock.leave()
        elif not (self._has_room(self._group) and self._lock.hand_on()):
            try:
                self._end_group()
            finally:
                self._lock.leave()

    def _has_room(self, group: _Group) -> bool:
        age_s = self._clock() - group.began_s
        return len(group.after_commits) < self._most_units and age_s < self._longest_s

    def _begin(self, settled: bool) -> None:
        if settled:
            self._end_group()
        if self._group is not None:
            self._transaction.mark()
            return
        if self._transaction.is_open:  # a rollback has failed
            self._transaction.rollback()
        self._transaction.begin()

    def _join(self, after_commit: AfterCommit) -> _Group:
        if not self._transaction.is_open:
            raise StorageError("An error has ended the transaction.")
        if self._group is None:
            self._group = _Group(self._clock())
        else:
            self._transaction.keep()
        self._group.after_commits.append(after_commit)
        crash_points.reach("write.joined")
        return self._group

    def _give_up(self, error: BaseException | None) -> None:
        """What made it fail may be a unit that is pending still, and can come to nothing: its
        caller hears of the one only after the other."""
        group = self._group
        try:
            self._undo(error)
        finally:
            self._leave()
        if group is not None:
            group.wait()

    def _undo(self, error: BaseException | None) -> None:
        """The unit alone; or, where the engine has rolled back all, its whole group."""
        if self._group is None:
            if self._transaction.is_open:
                self._transaction.rollback()
            return
        try:
            if self._transaction.is_open:
                self._transaction.undo()
                return
        except Exception as failed:  # noqa: BLE001  # of whatever engine
            error = failed
        group, self._group = self._group, None
        group.end(error or StorageError("An error has ended the transaction."))
        if self._transaction.is_open:
            self._transaction.rollback()

    def _end_group(self) -> None:
        """Commits for all, and tells of each in order. Its members hear of an error."""
        group, self._group = self._group, None
        if group is None:
            return
        try:
            crash_points.reach("commit.before")
            self._transaction.commit()
            crash_points.reach("commit.after")
            for after_commit in group.after_commits:
                after_commit()
            crash_points.reach("apply.after")
        except Exception as error:  # noqa: BLE001  # the members raise it
            group.end(error)
            if self._transaction.is_open:
                self._transaction.rollback()
        except BaseException as error:
            group.end(error)
            raise
        else:
            group.end()


def _of_all(error: BaseException) -> NalandaError:
    """What the others of a group are told; another's `NotFound` is not theirs."""
    if isinstance(error, StorageError | Unavailable):
        return error
    return StorageError(f"A write beside this one has failed: {error!r}")
