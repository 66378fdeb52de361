"""Clients that write, read and ask while the demo kills processes."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from threading import Event

from nalanda import Nalanda, NalandaError
from tests.threads import run_threads

LIBRARY = "harbours"
FACT = "The pilot station of Narva opens at six in the morning."
QUESTION = "When does the pilot station of Narva open?"
WRITERS = 3
TIMEOUT_S = 120.0


@dataclass(slots=True)
class Outcomes:
    """The responses that the clients got; any client appends to the lists."""

    written: list[str] = field(default_factory=list)
    """The ids of the chunks whose write was acknowledged."""
    waits_s: list[float] = field(default_factory=list)
    """The time of each write and of the read after it."""
    answered: int = 0
    problems: list[str] = field(default_factory=list)

    def longest_wait_s(self, since: int) -> float:
        """Return the longest of the times after the first `since` ones."""
        return max(self.waits_s[since:], default=0.0)


class Load:
    """Threads with a client each, which knows all nodes."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.outcomes = Outcomes()
        self._urls = urls
        self._ended = Event()

    @contextmanager
    def run(self) -> Iterator[None]:
        with self._client() as client:
            client.libraries.create(LIBRARY)
            client.documents.create(LIBRARY, title="Pilots", text=FACT)
            client.documents.replace(LIBRARY, "log", chunks=[])
        writers = [partial(self._write, number) for number in range(WRITERS)]
        with run_threads(self._ended, *writers, self._ask):
            yield

    def _client(self) -> Nalanda:
        return Nalanda(self._urls, timeout_s=TIMEOUT_S)

    def _write(self, writer: int) -> None:
        with self._client() as client:
            number = 0
            while not self._ended.is_set():
                id_ = f"{writer}-{number}"
                try:
                    self._write_and_read(client, id_)
                except NalandaError as error:
                    self.outcomes.problems.append(f"chunk {id_}: {error!r}")
                number += 1

    def _write_and_read(self, client: Nalanda, id_: str) -> None:
        text = f"Harbour {id_} is {len(id_)} fathoms deep."
        began = time.monotonic()
        client.chunks.put(LIBRARY, id_, document_id="log", text=text)
        self.outcomes.written.append(id_)
        if client.chunks.get(LIBRARY, id_).text != text:
            self.outcomes.problems.append(f"chunk {id_}: the session read another text")
        self.outcomes.waits_s.append(time.monotonic() - began)

    def _ask(self) -> None:
        with self._client() as client:
            while not self._ended.is_set():
                try:
                    result = client.ask(LIBRARY, QUESTION, timeout_s=TIMEOUT_S)
                except NalandaError as error:
                    self.outcomes.problems.append(f"question: {error!r}")
                    continue
                if any(citation.quote == FACT for citation in result.citations):
                    self.outcomes.answered += 1
                else:
                    self.outcomes.problems.append(f"question: answered by {result.answer!r}")
