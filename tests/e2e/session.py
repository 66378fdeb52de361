"""A client of several nodes that writes and reads while a test disturbs the nodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event

from nalanda import Nalanda, NalandaError
from tests.e2e.nodes import PAUSE_S
from tests.threads import run_threads
from tests.waiting import until

ROUNDS = 10


class Session:
    """A thread that writes a register and appends to a log, and reads both, again and again.

    `client` may be shared with the test. A problem ends the thread.
    """

    def __init__(self, client: Nalanda) -> None:
        self._client = client
        self._rounds = 0
        self._problem: str | None = None

    @contextmanager
    def run(self) -> Iterator[None]:
        self._client.libraries.create("s", dimension=2)
        for document in ("register", "log"):
            self._client.documents.replace("s", document, chunks=[])
        ended = Event()
        with run_threads(ended, partial(self._run_until, ended)):
            yield
        assert self._problem is None

    def wait_for_rounds(self, timeout_s: float) -> None:
        """Wait for more rounds, and fail at a problem."""
        wanted = self._rounds + ROUNDS
        until(lambda: self._rounds >= wanted or self._problem is not None, timeout_s)
        assert self._problem is None

    def _run_until(self, ended: Event) -> None:
        try:
            while not ended.is_set():
                self._write_and_read(self._rounds)
                self._rounds += 1
                ended.wait(PAUSE_S)
        except (AssertionError, NalandaError) as error:
            self._problem = f"round {self._rounds}: {error!r}"

    def _write_and_read(self, number: int) -> None:
        text, api = str(number), self._client
        api.chunks.put("s", "r", document_id="register", text=text, embedding=[1, 0])
        assert api.chunks.get("s", "r").text == text
        api.chunks.add("s", "log", [{"text": text, "embedding": [0, 1]}])
        assert api.search("s", embedding=[1, 0], k=1).hits[0].text == text
        logged = api.chunks.list("s", document_id="log", page_size=1000)
        assert [chunk.text for chunk in logged] == [str(each) for each in range(number + 1)]
