"""Continuity of the log with a state: whether the record's log goes on from what was applied."""

from collections.abc import Iterator

from core.ports.store import LogEntry, Snapshot


class LogGap(Exception):
    """The log no longer has the entries that follow a state."""


class LogReplaced(Exception):
    """The record has another history than a state: it went back, or is another record."""


class Continuity:
    """The check that every entry of the log passes before it is applied.

    It knows an entry by its position and the time at which the writer committed it.
    """

    def __init__(self) -> None:
        # The entry that the state is at, and the last one read, which a step may fail to apply.
        self._known: tuple[LogEntry, ...] = ()

    def entries(self, position: int, snapshot: Snapshot) -> Iterator[LogEntry]:
        """Yield the entries after `position`, in order.

        Raises:
            LogGap: the log begins later.
            LogReplaced: the log ends before `position`, or has another entry there.
        """
        if snapshot.position < position:
            raise LogReplaced(f"The record is at {snapshot.position}; the state is at {position}.")
        own = tuple(entry for entry in self._known if entry.position == position)
        last = position
        for entry in snapshot.log.after(position - 1):
            if entry.position == position:
                self._check(entry, own)
                own = self._known = (entry,)
                continue
            if entry.position != last + 1:
                raise LogGap(f"The log begins at {entry.position}; the state is at {position}.")
            last = entry.position
            self._known = (*own, entry)
            yield entry
        if last != snapshot.position:
            raise LogGap(f"The log ends at {last}; the record is at {snapshot.position}.")

    def _check(self, entry: LogEntry, own: tuple[LogEntry, ...]) -> None:
        """Compare the entry at a state's position with the one that the state was made from.

        Raises:
            LogReplaced: they differ.
        """
        if any(known.at != entry.at for known in own):
            raise LogReplaced(f"The log has another entry at position {entry.position} now.")
