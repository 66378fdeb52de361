"""Calls of an embedder that concurrent writes share.

A call of a remote provider takes 100 ms and more, however few its texts. While as many calls as
allowed are under way, the texts of further writes wait, and the next call has as many of them as a
provider takes: a group commit of embeddings. Without concurrent writes each write has its own call.
"""

import threading
from collections import deque
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers.base import Embedder, Vectors

CALLS_AT_ONCE = 4
MAX_TEXTS = 96
"""The most texts of several writes in one call: Cohere takes no more."""


@dataclass(slots=True, eq=False)
class _Request:
    """The texts of one write, then their vectors or the error."""

    texts: Sequence[str]
    rows: Vectors | None = None
    error: ProviderError | None = None

    @property
    def is_done(self) -> bool:
        return self.rows is not None or self.error is not None


class SharedCalls:
    """The calls of one embedder, `at_once` at a time, for any number of threads.

    A write whose texts are refused fails alone. After a call that failed for now the next one has
    the texts of a single write, so that one text on which the provider fails does not stop the
    other writes.
    """

    def __init__(
        self, embedder: Embedder, *, at_once: int = CALLS_AT_ONCE, max_texts: int = MAX_TEXTS
    ) -> None:
        self._embedder = embedder
        self._max_texts = max_texts
        self._changed = threading.Condition()
        # Guarded by the condition.
        self._waiting: deque[_Request] = deque()
        self._free = at_once
        self._shares = True

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed the texts of a write as documents, `(n, d) float32`.

        Raises:
            ProviderError: the provider failed.
        """
        request = _Request(texts)
        with self._changed:
            self._waiting.append(request)
        while batch := self._next_batch(request):
            try:
                self._call(batch)
            finally:
                self._end_call(batch)
        if request.error is not None:
            raise copy(request.error) from request.error  # each thread has a traceback of its own
        assert request.rows is not None
        return request.rows

    def _next_batch(self, request: _Request) -> list[_Request]:
        """Wait until the request is done, or a call is free for it; return the call's requests."""
        with self._changed:
            self._changed.wait_for(
                lambda: request.is_done or (self._free > 0 and request in self._waiting)
            )
            if request.is_done:
                return []
            self._free -= 1
            return self._take()

    def _take(self) -> list[_Request]:
        batch = [self._waiting.popleft()]
        texts = len(batch[0].texts)
        while self._shares and self._waiting:
            texts += len(self._waiting[0].texts)
            if texts > self._max_texts:
                break
            batch.append(self._waiting.popleft())
        return batch

    def _end_call(self, batch: Sequence[_Request]) -> None:
        with self._changed:
            for request in batch:
                if not request.is_done:  # an error that no provider should raise
                    request.error = ProviderUnavailable("The call of the provider was broken off.")
            self._shares = all(request.error is None for request in batch)
            self._free += 1
            self._changed.notify_all()

    def _call(self, batch: Sequence[_Request]) -> None:
        try:
            self._embed(batch)
        except ProviderRejected as error:
            if len(batch) == 1:
                batch[0].error = error
                return
            for request in batch:
                self._call([request])
        except ProviderError as error:
            for request in batch:
                request.error = error

    def _embed(self, batch: Sequence[_Request]) -> None:
        """Embed the texts of the requests by one call.

        Raises:
            ProviderError: the provider failed.
        """
        texts = [text for request in batch for text in request.texts]
        rows = self._embedder.embed(texts, "document")
        if len(batch) > 1 and len(rows) != len(texts):
            raise ProviderRejected("The provider returned a wrong number of embeddings.")
        start = 0
        for request in batch[:-1]:
            request.rows = rows[start : start + len(request.texts)]
            start += len(request.texts)
        batch[-1].rows = rows[start:]  # of a single request all rows, which its caller checks
