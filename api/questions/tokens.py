"""The tokens of answers that are being written, in the memory of the process that streams them.

A worker numbers the tokens of each attempt and keeps them until its end. The API answers each batch
with the number that it has, so after a restart it gets all of them again, under the same ids.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from api.http.event_streams import Event

FIRST = 1_000
"""The number of the first token's event; the events of stages have lower ones."""

PER_ATTEMPT = 20_000
ATTEMPTS = 44
AFTER = 900_000
"""The increment of the numbers of later events for a client that has seen a token."""

MAX_BYTES = 64 * 2**20
KEPT_S = 300.0
"""How long tokens are kept after the last one came."""


@dataclass(slots=True)
class _Attempt:
    series: int
    texts: list[str] = field(default_factory=list)
    size_bytes: int = 0
    touched: float = 0.0


class TokenLog:
    """The tokens of each question's last attempt; the oldest are dropped beyond `MAX_BYTES`."""

    def __init__(self) -> None:
        self._attempts: OrderedDict[str, _Attempt] = OrderedDict()
        self._readers: dict[str, set[asyncio.Event]] = {}
        self._bytes = 0

    def add(self, workflow_id: str, series: int, before: int, texts: Sequence[str]) -> int:
        """Add the texts that follow the first `before` ones; return how many there are.

        Fewer than `before` means that the caller has to send earlier ones again. A text of an
        earlier attempt is dropped, and counts as taken.
        """
        attempt = self._attempts.get(workflow_id)
        if attempt is not None and series < attempt.series:
            return before + len(texts)
        if attempt is None or series > attempt.series:
            self._drop(workflow_id)
            attempt = self._attempts[workflow_id] = _Attempt(series)
        have = len(attempt.texts)
        new = texts[have - before :] if before <= have else ()
        room = PER_ATTEMPT - 1 - have
        attempt.texts += new[:room]
        grown = sum(len(text) for text in new[:room])
        attempt.size_bytes += grown
        self._bytes += grown
        attempt.touched = time.monotonic()
        self._attempts.move_to_end(workflow_id)
        self._make_room()
        for reader in self._readers.get(workflow_id, ()):
            reader.set()
        return len(attempt.texts) if len(new) <= room else before + len(texts)

    def events(self, workflow_id: str, after: int) -> Iterator[Event]:
        """Yield the events of the last attempt with numbers above `after`; the first is `retry`."""
        attempt = self._attempts.get(workflow_id)
        if attempt is None:
            return
        base = FIRST + min(attempt.series, ATTEMPTS - 1) * PER_ATTEMPT
        if attempt.series > 0 and base > after:
            yield Event(base, "retry", {"attempt": attempt.series + 1})
        first = max(after - base, 0)
        for place, text in enumerate(attempt.texts[first:], start=first + 1):
            yield Event(base + place, "token", {"text": text})

    @contextmanager
    def reader(self, workflow_id: str) -> Iterator[asyncio.Event]:
        """Yield an event that is set when tokens of the question come."""
        came = asyncio.Event()
        self._readers.setdefault(workflow_id, set()).add(came)
        try:
            yield came
        finally:
            readers = self._readers[workflow_id]
            readers.discard(came)
            if not readers:
                del self._readers[workflow_id]

    def _make_room(self) -> None:
        oldest_s = time.monotonic() - KEPT_S
        while self._attempts:
            workflow_id, attempt = next(iter(self._attempts.items()))
            if self._bytes <= MAX_BYTES and attempt.touched >= oldest_s:
                return
            self._drop(workflow_id)

    def _drop(self, workflow_id: str) -> None:
        attempt = self._attempts.pop(workflow_id, None)
        if attempt is not None:
            self._bytes -= attempt.size_bytes


async def _tokens(request: Request) -> TokenLog:
    tokens: TokenLog = request.app.state.tokens
    return tokens


TokensOf = Annotated[TokenLog, Depends(_tokens)]
