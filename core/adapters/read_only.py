"""The half of a store that refuses to write, for processes that follow another one's log."""

from contextlib import AbstractContextManager

from core.domain.errors import Unavailable
from core.ports.store import CommitListener, UnitOfWork


class ReadOnly:
    """A base of stores whose record another process writes; there are no commits to listen to."""

    def write(self, *, after_listeners: bool = False) -> AbstractContextManager[UnitOfWork]:
        """Refuse.

        Raises:
            Unavailable: always.
        """
        raise _refusal(after_listeners)

    def subscribe(self, listener: CommitListener) -> None:
        """Refuse.

        Raises:
            Unavailable: always.
        """
        raise _refusal(listener)

    def trim_log(self, before: int) -> int:
        """Refuse.

        Raises:
            Unavailable: always.
        """
        raise _refusal(before)

    def reclaim(self) -> int:
        """Refuse.

        Raises:
            Unavailable: always.
        """
        raise _refusal()


def _refusal(*_: object) -> Unavailable:
    return Unavailable("This process only reads; another one writes.")
