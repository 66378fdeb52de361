"""The listeners of commits."""

import logging
from collections.abc import Sequence

from core.domain.changes import Change
from core.ports.store import CommitListener

logger = logging.getLogger(__name__)


class Listeners:
    """The listeners that a store notifies of each commit.

    A listener's failure is logged with its traceback. It does not undo the write, which is on
    record, and the other listeners still run.
    """

    def __init__(self) -> None:
        self._listeners: list[CommitListener] = []

    def add(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    def notify(self, position: int, changes: Sequence[Change], log_hash: bytes) -> None:
        for listener in self._listeners:
            try:
                listener(position, changes, log_hash)
            except Exception:
                logger.exception(
                    "Position %d is on record, but a listener has not applied it.", position
                )
