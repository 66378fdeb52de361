"""Calls of an embedder that concurrent writes share."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from core.domain.errors import ProviderRejected, ProviderUnavailable
from core.providers.base import Purpose, Vectors
from core.services.shared_calls import SharedCalls
from tests.fakes import FakeEmbedder
from tests.waiting import until

DEADLINE_S = 30.0


class HeldEmbedder(FakeEmbedder):
    """An embedder whose first call waits until it is let go; a text can be made to fail."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.reached, self.released = threading.Event(), threading.Event()
        self.fails: Callable[[Sequence[str]], Exception | None] = lambda _: None

    def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        self.calls.append(list(texts))
        if not self.reached.is_set():
            self.reached.set()
            assert self.released.wait(DEADLINE_S)
        if (error := self.fails(texts)) is not None:
            raise error
        return super().embed(texts, purpose)


@pytest.fixture
def embedder() -> HeldEmbedder:
    return HeldEmbedder()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


class Writes:
    """Writes that wait while the first one's call is held."""

    def __init__(self, embedder: HeldEmbedder, pool: ThreadPoolExecutor, **limits: int) -> None:
        self._embedder = embedder
        self._pool = pool
        self._shared = SharedCalls(embedder, at_once=1, **limits)
        self._first = self._begin(["first"])
        assert embedder.reached.wait(DEADLINE_S)

    def _begin(self, texts: Sequence[str]) -> Future[Vectors]:
        return self._pool.submit(self._shared.embed, texts)

    def wait_for(self, *writes: Sequence[str]) -> list[Future[Vectors]]:
        """Begin the writes in this order, then let the first call go."""
        begun = []
        for number, texts in enumerate(writes, start=1):
            begun.append(self._begin(texts))
            until(partial(self._are_waiting, number))
        self._embedder.released.set()
        assert self._first.result(DEADLINE_S).shape == (1, 4)
        return begun

    def _are_waiting(self, number: int) -> bool:
        return len(self._shared._waiting) == number


def rows_of(*texts: str) -> Vectors:
    return FakeEmbedder().embed(texts, "document")


def test_waiting_writes_share_a_call(embedder: HeldEmbedder, pool: ThreadPoolExecutor) -> None:
    one, two = Writes(embedder, pool).wait_for(["a", "b"], ["c"])
    np.testing.assert_array_equal(one.result(DEADLINE_S), rows_of("a", "b"))
    np.testing.assert_array_equal(two.result(DEADLINE_S), rows_of("c"))
    assert embedder.calls == [["first"], ["a", "b", "c"]]


def test_a_call_has_at_most_the_texts_that_a_provider_takes(
    embedder: HeldEmbedder, pool: ThreadPoolExecutor
) -> None:
    begun = Writes(embedder, pool, max_texts=3).wait_for(["a", "b"], ["c"], ["d"], list("efgh"))
    shapes = [each.result(DEADLINE_S).shape for each in begun]
    assert shapes == [(2, 4), (1, 4), (1, 4), (4, 4)]
    assert embedder.calls == [["first"], ["a", "b", "c"], ["d"], list("efgh")]


def test_a_refused_text_fails_its_write_alone(
    embedder: HeldEmbedder, pool: ThreadPoolExecutor
) -> None:
    embedder.fails = lambda texts: ProviderRejected("no") if "bad" in texts else None
    one, bad, two = Writes(embedder, pool).wait_for(["a"], ["bad"], ["b"])
    np.testing.assert_array_equal(one.result(DEADLINE_S), rows_of("a"))
    np.testing.assert_array_equal(two.result(DEADLINE_S), rows_of("b"))
    with pytest.raises(ProviderRejected, match="no"):
        bad.result(DEADLINE_S)


def test_a_wrong_number_of_rows_fails_the_write_that_gets_it(
    embedder: HeldEmbedder, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed = embedder.embed

    def forget(texts: Sequence[str], purpose: Purpose) -> Vectors:
        return embed(texts, purpose)[1 if "bad" in texts else 0 :]

    monkeypatch.setattr(embedder, "embed", forget)
    one, bad = Writes(embedder, pool).wait_for(["a"], ["bad", "too"])
    np.testing.assert_array_equal(one.result(DEADLINE_S), rows_of("a"))
    assert bad.result(DEADLINE_S).shape == (1, 4)  # the caller counts


def test_after_a_failure_for_now_a_write_is_embedded_alone(
    embedder: HeldEmbedder, pool: ThreadPoolExecutor
) -> None:
    embedder.fails = lambda texts: ProviderUnavailable("busy") if "bad" in texts else None
    writes = Writes(embedder, pool, max_texts=2)
    one, bad, two, three, four = writes.wait_for(["a"], ["bad"], ["b"], ["c"], ["d"])
    for failed in (one, bad):
        with pytest.raises(ProviderUnavailable, match="busy"):
            failed.result(DEADLINE_S)
    assert {each.result(DEADLINE_S).shape for each in (two, three, four)} == {(1, 4)}
    assert embedder.calls == [["first"], ["a", "bad"], ["b"], ["c", "d"]]


def test_an_error_that_no_provider_should_raise_stops_no_other_write(
    embedder: HeldEmbedder, pool: ThreadPoolExecutor
) -> None:
    embedder.fails = lambda texts: ZeroDivisionError() if "bad" in texts else None
    begun = Writes(embedder, pool).wait_for(["a"], ["bad"])
    errors = {type(each.exception(DEADLINE_S)) for each in begun}
    assert errors == {ZeroDivisionError, ProviderUnavailable}
