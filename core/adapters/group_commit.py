"""Group commit: concurrent writes share one COMMIT, and so one fsync.

Units of work run one at a time, in the order of their calls, in one transaction of the engine.
Each unit but the first has a savepoint, so that a unit that fails is undone alone. A unit that
is done hands the turn to the next one and waits. A unit without a next one commits the group, at
once if the group has as many units as the one before it. Otherwise the unit first waits for others,
for no longer than the last commit took, and 5 ms at most: the clients of a group come back one
after the other.
A write without concurrent writes is a transaction of its own, and does not wait.

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
"""The time that a unit waits for its turn."""

MAX_UNITS = 64
MAX_GROUP_S = 0.02
"""The age at which a group is committed, even if other units wait for their turn."""

MAX_PATIENCE_S = 0.005
"""The longest wait of a group for units that may not come."""

CLOSED = StorageError("The store is closed.")

AfterCommit: TypeAlias = Callable[[], None]
"""Notifies the listeners of one unit; called once the unit is on the disk. Raises nothing."""

CommitUnit: TypeAlias = Callable[[AfterCommit], None]
"""A unit's last step; it returns once the unit is on the disk and its listeners have run.

Raises:
    StorageError, Unavailable: no unit of the group is on record.
"""


class Transaction(Protocol):
    """An engine's transaction on its one writing connection; errors are of `NalandaError`."""

    @property
    def is_open(self) -> bool:
        """Return `True` between `begin` and `commit`; `False` once the engine has rolled back."""
        ...

    def begin(self) -> None: ...

    def commit(self) -> None:
        """Commit; return once everything is on the disk. Until then readers see none of it."""
        ...

    def rollback(self) -> None: ...

    def set_savepoint(self) -> None:
        """Set a savepoint; there is one at a time."""
        ...

    def release_savepoint(self) -> None:
        """Release the savepoint, and keep the changes since."""
        ...

    def undo_to_savepoint(self) -> None:
        """Undo the changes since the savepoint, and release the savepoint."""
        ...


class _Group:
    """The units of one COMMIT, which all succeed or all fail."""

    def __init__(self, began_s: float) -> None:
        self.began_s = began_s
        self.after_commits: list[AfterCommit] = []
        self._ended = Event()
        self._error: NalandaError | None = None

    def end(self, error: BaseException | None = None) -> None:
        if error is not None:
            self._error = _shared_error(error)
        self._ended.set()

    def ends_within(self, timeout_s: float) -> bool:
        return self._ended.wait(timeout_s)

    def wait(self) -> None:
        self._ended.wait()
        if self._error is not None:
            raise copy(self._error) from self._error  # each thread has a traceback of its own


class GroupCommit:
    """The group commit of one writing connection, which any number of threads may call."""

    def __init__(
        self,
        transaction: Transaction,
        *,
        wait_s: float = WAIT_S,
        max_units: int = MAX_UNITS,
        max_group_s: float = MAX_GROUP_S,
        max_patience_s: float = MAX_PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transaction = transaction
        self._wait_s = wait_s
        self._most_units = max_units
        self._longest_s = max_group_s
        self._max_patience_s = max_patience_s
        self._clock = clock
        self._lock = FairLock()
        # Guarded by the lock.
        self._group: _Group | None = None
        self._last_units = 1
        self._patience_s = 0.0
        self._refusal: NalandaError | None = None

    @contextmanager
    def unit(self, *, after_listeners: bool = False) -> Iterator[CommitUnit]:
        """Run one unit of work; without a call of the commit that it yields, the unit is undone.

        The unit sees the changes of earlier units of its group, whose fate it shares. A unit
        that fails because of such changes raises only after they are on the disk.
        `after_listeners`: the unit begins when all earlier units are committed and their
        listeners have run.

        Raises:
            Unavailable: other writes took too long.
            StorageError: the store is closed, or the engine fails.
        """
        joined = False

        def commit(after_commit: AfterCommit) -> None:
            nonlocal joined
            group = self._join(after_commit)
            joined = True
            self._leave_to_others(group)
            group.wait()

        self._take()
        try:
            self._begin(after_listeners)
            yield commit
        except BaseException as error:
            if not joined:
                self._give_up(error)
            raise
        if not joined:
            self._give_up(None)

    @contextmanager
    def exclusive_turn(self) -> Iterator[None]:
        """Take a turn in which no unit is pending and no transaction is open."""
        self._take()
        try:
            self._end_group()
            yield
        finally:
            self._leave()

    def close(self, refusal: NalandaError = CLOSED) -> bool:
        """Commit the pending units; later ones raise `refusal`.

        Return `False` if already closed.
        """
        if self._refusal is not None:
            return False
        with self.exclusive_turn():
            self._refusal = refusal
        return True

    def _take(self) -> None:
        if not self._lock.acquire(self._wait_s):
            raise Unavailable("Other writes take too long.")
        if self._refusal is not None:
            self._lock.release()
            raise copy(self._refusal)

    def _leave(self) -> None:
        """Hand the turn on, or commit the group if no unit waits or the group is full."""
        if self._group is None:
            self._lock.release()
        elif not (self._has_room(self._group) and self._lock.hand_on()):
            try:
                self._end_group()
            finally:
                self._lock.release()

    def _leave_to_others(self, group: _Group) -> None:
        """Hand the turn on; as the last unit, wait for others for a while, then commit."""
        units, patience_s = len(group.after_commits), self._patience_s
        if units >= self._last_units or not self._has_room(group):
            self._leave()
        elif not self._lock.hand_on():
            self._lock.release()
            while not group.ends_within(patience_s) and len(group.after_commits) == units:
                # The turn may come from a unit that has joined meanwhile, and that leaves its group
                # to this one, as to any unit that waits for its turn.
                if self._lock.acquire(self._wait_s):
                    self._leave()

    def _has_room(self, group: _Group) -> bool:
        age_s = self._clock() - group.began_s
        return len(group.after_commits) < self._most_units and age_s < self._longest_s

    def _begin(self, after_listeners: bool) -> None:
        if after_listeners:
            self._end_group()
        if self._group is not None:
            self._transaction.set_savepoint()
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
            self._transaction.release_savepoint()
        self._group.after_commits.append(after_commit)
        crash_points.reach("write.joined")
        return self._group

    def _give_up(self, error: BaseException | None) -> None:
        """Undo the unit, then wait for its group.

        A pending unit, which may still fail, can be the reason for this unit's error. So the
        caller gets the error only after the group has ended.
        """
        group = self._group
        try:
            self._undo(error)
        finally:
            self._leave()
        if group is not None:
            group.wait()

    def _undo(self, error: BaseException | None) -> None:
        """Undo the unit alone, or its whole group where the engine has rolled back."""
        if self._group is None:
            if self._transaction.is_open:
                self._transaction.rollback()
            return
        try:
            if self._transaction.is_open:
                self._transaction.undo_to_savepoint()
                return
        except Exception as failed:  # noqa: BLE001  # any error of the engine
            error = failed
        group, self._group = self._group, None
        group.end(error or StorageError("An error has ended the transaction."))
        if self._transaction.is_open:
            self._transaction.rollback()

    def _end_group(self) -> None:
        """Commit the group, and notify listeners of its units in order; units get any error."""
        group, self._group = self._group, None
        if group is None:
            return
        began_s = self._clock()
        try:
            crash_points.reach("commit.before")
            self._transaction.commit()
            self._last_units = len(group.after_commits)
            self._patience_s = min(self._clock() - began_s, self._max_patience_s)
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


def _shared_error(error: BaseException) -> NalandaError:
    """Return a unit's error as one that the group's other units can raise.

    Another unit's `NotFound`, for example, becomes a `StorageError`.
    """
    if isinstance(error, StorageError | Unavailable):
        return error
    return StorageError(f"A write of the same commit has failed: {error!r}")
