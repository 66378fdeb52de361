"""Those who are told of each commit."""

import logging
from collections.abc import Sequence

from core.domain.changes import Change
from core.ports.store import CommitListener

logger = logging.getLogger(__name__)


class Listeners:
    """One that fails undoes nothing and keeps no other from being told: the write is on record,
    and the caller is told so. The failure is logged with its traceback."""

    def __init__(self) -> None:
        self._listeners: list[CommitListener] = []

    def add(self, listener: CommitListener) -> None:
        self._listeners.append(listener)

    def tell(self, position: int, changes: Sequence[Change]) -> None:
        for listener in self._listeners:
            try:
                listener(position, changes)
            except Exception:
                logger.exception(
                    "Position %d is on record, but a listener has not taken it in.", position
                )
