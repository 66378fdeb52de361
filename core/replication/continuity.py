"""Continuity of the log with a state: whether the record's log goes on from what was applied."""

from collections.abc import Iterator

from core.indexing.views.catalog import CatalogState
from core.ports.store import LogEntry, Snapshot


class LogGap(Exception):
    """The log no longer has the entries that follow a state."""


class LogReplaced(Exception):
    """The record has another history than a state: it went back, or is another record."""


def entries_after(state: CatalogState, snapshot: Snapshot) -> Iterator[LogEntry]:
    """Yield the entries after a state, in order, once the log is known to go on from the state.

    The log's hash at the state's position covers all entries up to it, so one comparison decides.

    Raises:
        LogGap: the log no longer has the state's position.
        LogReplaced: the log ends before the position, or has another hash there.
    """
    position = state.position
    if snapshot.position < position:
        raise LogReplaced(f"The record is at {snapshot.position}; the state is at {position}.")
    expected = max(position, 1)  # position 0 has no entry
    for entry in snapshot.log.after(expected - 1):
        if entry.position != expected:
            raise LogGap(f"The log begins at {entry.position}; the state is at {position}.")
        expected += 1
        if entry.position > position:
            yield entry
        elif entry.hash != state.log_hash:
            raise LogReplaced(f"The log has another history up to position {position} now.")
    if expected != snapshot.position + 1:
        raise LogGap(f"The log ends at {expected - 1}; the record is at {snapshot.position}.")
