"""A library that changes its model while everything is killed, searched and written to."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nalanda import (
    ConnectionFailed,
    ModelChange,
    Nalanda,
    ServerError,
    TimedOut,
)
from tests.e2e.nodes import PAUSE_S
from tests.e2e.stack import PARTS, Stack, second_model
from tests.openai_server import OpenAIServer

COUNT = 2_500
TIMEOUT_S = 240
AWAY = (ConnectionFailed, TimedOut, ServerError)
"""Errors of a call to a server that is killed at that moment."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with OpenAIServer() as models, Stack(tmp_path) as stack:
        both = second_model(models)
        stack.environments = {"api": both, "worker": both}
        stack.start_all()
        yield stack


def text(number: int) -> str:
    return f"Ship {number} carries pepper, horse {number * 7} and cloth {number * 13}."


def fill(client: Nalanda) -> None:
    client.libraries.create("ships", embedding_model="wordllama-256")
    document = client.documents.create("ships", title="Ships")
    for start in range(0, COUNT, 500):
        numbers = range(start, start + 500)
        chunks = [{"id": f"s{number}", "text": text(number)} for number in numbers]
        client.chunks.add("ships", document.id, chunks)  # type: ignore[arg-type]


class Searching:
    """A thread that searches for texts; `answers` counts those that were right.

    A text is found with a cosine of 1 by either model, and only by chance by vectors of the other.
    """

    def __init__(self, url: str) -> None:
        self.answers = 0
        self.wrong: list[object] = []
        self._url = url
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Searching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with Nalanda(self._url, max_retries=0) as client:
            number = 0
            while not self._ended.is_set():
                self._ended.wait(PAUSE_S)
                number = (number + 37) % COUNT
                try:
                    hit = client.search("ships", text=text(number), k=1).hits[0]
                except AWAY:
                    continue
                if hit.score > 0.9999:
                    self.answers += 1
                else:
                    self.wrong.append((number, hit))


def wait_for_end(stack: Stack) -> ModelChange:
    deadline = time.monotonic() + TIMEOUT_S
    with stack.client() as client:
        while True:
            assert time.monotonic() < deadline
            try:
                state = client.libraries.model_change("ships")
            except AWAY:
                continue
            if state.closed:
                return state
            time.sleep(0.05)


def wait_for_staged(stack: Stack, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    with stack.client() as client:
        while (state := client.libraries.model_change("ships")).staged < count:
            assert not state.closed
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_change_and_its_revert_survive_the_end_of_any_process(stack: Stack) -> None:
    with stack.client() as client:
        fill(client)
    with Searching(stack.api_url) as searching:
        with stack.client() as client:
            client.libraries.change_model("ships", "embedder")
        for number, part in enumerate(PARTS, 1):
            wait_for_staged(stack, 512 * number)
            stack.kill(part)
            stack.start(part)
        changed = wait_for_end(stack)
        with stack.client() as client:
            client.chunks.update("ships", "s7", {"text": text(7), "metadata": {"seen": True}})
            client.libraries.revert_model("ships")
        for part in PARTS:
            stack.kill(part)
            stack.start(part)
        reverted = wait_for_end(stack)
    assert (changed.state, changed.staged, changed.total) == ("switched", COUNT, COUNT)
    assert reverted.state == "reverted"
    assert searching.wrong == []
    assert searching.answers > 0
    with stack.client() as client:
        assert client.libraries.get("ships").embedding_model == "wordllama-256"
        assert client.index.get("ships").vectors == COUNT
