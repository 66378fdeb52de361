"""The text of an answer on its way to the API, in batches, while a provider writes it.

The result of the stage has the whole answer, so a batch that can't be sent never fails the stage.
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from core.providers.streaming import listening
from nalanda import AsyncNalanda, NalandaError

BATCH_S = 0.03
"""The time for which text is collected after a batch was sent; the first text is sent at once."""

LAST_S = 1.0
"""How long the end of the stage waits for the last batch."""

PAUSE_S = 0.5
"""The time between two calls while the API is away."""

MAX_TEXTS = 500
"""Texts in one call: the API takes 1,000."""


class Tokens:
    """The tokens of one attempt at an answer, whose provider is called within the block."""

    def __init__(self, client: AsyncNalanda, workflow_id: str, series: int) -> None:
        self._client = client
        self._workflow_id = workflow_id
        self._series = series
        self._texts: list[str] = []
        self._taken = 0
        self._written = asyncio.Event()
        self._is_over = False
        self._is_announced = series == 0
        """True once the API knows of this attempt, and readers drop the tokens of earlier ones."""

    async def __aenter__(self) -> Self:
        self._listening = listening(self._add)
        self._listening.__enter__()
        self._sending = asyncio.create_task(self._send())
        if not self._is_announced:
            self._written.set()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listening.__exit__(kind, error, traceback)
        self._is_over = True
        self._written.set()
        if error is not None or self._is_sent:
            self._sending.cancel()
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(self._sending, LAST_S)

    @property
    def _is_sent(self) -> bool:
        return self._is_announced and self._taken == len(self._texts)

    def _add(self, text: str) -> None:
        self._texts.append(text)
        self._written.set()

    async def _send(self) -> None:
        while not (self._is_over and self._is_sent):
            await self._written.wait()
            self._written.clear()
            if self._is_sent:
                continue
            batch = self._texts[self._taken : self._taken + MAX_TEXTS]
            try:
                self._taken = await self._client.queries.add_tokens(
                    self._workflow_id, self._series, self._taken, batch
                )
            except NalandaError:
                await asyncio.sleep(PAUSE_S)
            else:
                self._is_announced = True
                await asyncio.sleep(0 if self._is_over else BATCH_S)
            self._written.set()  # the API may have asked for earlier texts
