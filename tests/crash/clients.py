"""The process of the clients: writers and readers, until the server or the clients are killed.

The process prepares while the server starts, and begins when standard input names its task. It ends
at the end of standard input, or when the server is unreachable.
"""

import json
import os
import pickle
import random
import sys
import threading
from itertools import count
from pathlib import Path

import httpx

from tests.crash.ledger import Ack, Pen, Seen
from tests.crash.model import DIMENSION, SHARED, Kind, Write, apply
from tests.crash.requests import BY_WORD, Chooser, of_writer, request_of
from tests.crash.tasks import Task

_TIMEOUT_S = 30.0
_REFUSALS = {429, 503, 507}
_PAUSE_S = 0.05


class _InDoubt(Exception):
    """A state in which the last write may or may not be on record."""


class Writer:
    """A client that writes serially, and keeps the ledger."""

    def __init__(self, number: int, task: Task, api: httpx.Client, pen: Pen) -> None:
        self._chooser = Chooser(number, random.Random(f"{task.seed} writes {number}"))
        self._assignment = task.writers[number]
        self._there = self._assignment.there
        self._doubtful = task.doubtful
        self._numbers = count(task.first_number(number))
        self._api = api
        self._pen = pen

    def run(self, stopped: threading.Event) -> None:
        try:
            self._repeat()
            while not stopped.is_set():
                if not self._send(self._chooser.next(next(self._numbers), self._there)):
                    stopped.wait(_PAUSE_S)
        except (httpx.TransportError, _InDoubt):
            return

    def _repeat(self) -> None:
        if self._assignment.pending is not None:
            self._send(self._assignment.pending)
        elif self._assignment.answered is not None:
            self._ask_again(self._assignment.answered)

    def _send(self, write: Write) -> bool:
        """Send a write; return whether the server accepted it."""
        self._pen.record_sent(write)
        answer = self._request(write)
        if answer.is_success:
            position = int(answer.headers["Nalanda-Position"])
            posted = write.kind is Kind.POST_DOCUMENT
            document_id = answer.json()["id"] if posted else None
            replayed = "Idempotent-Replayed" in answer.headers
            self._pen.ack(write.number, position, document_id, replayed=replayed)
            if not replayed:
                self._apply(write, position, document_id)
        elif self._doubtful and answer.status_code >= 500:
            raise _InDoubt
        elif answer.status_code in _REFUSALS:
            self._pen.record_refusal(write.number)
        else:
            self._pen.wrong(f"{write} was answered {answer.status_code} {answer.text}")
            self._pen.record_refusal(write.number)
        return answer.is_success

    def _ask_again(self, before: Ack) -> None:
        answer = self._request(before.write)
        again = answer.headers.get("Nalanda-Position"), "Idempotent-Replayed" in answer.headers
        if answer.status_code not in _REFUSALS and again != (str(before.position), True):
            self._pen.wrong(f"{before} was sent again, and answered {again} {answer.text}")

    def _request(self, write: Write) -> httpx.Response:
        request = request_of(write, self._there)
        headers = {} if request.key is None else {"Idempotency-Key": request.key}
        return self._api.request(request.method, request.path, json=request.body, headers=headers)

    def _apply(self, write: Write, position: int, document_id: str | None) -> None:
        apply(self._there, write, position)
        if document_id is not None:
            self._there.ids[write.library, write.document] = document_id


class Reader:
    """A client that searches and lists, and records what it sees."""

    def __init__(self, number: int, task: Task, api: httpx.Client, pen: Pen) -> None:
        self._rng = random.Random(f"{task.seed} reads {number}")
        self._writers = sorted(task.writers)
        self._api = api
        self._pen = pen

    def run(self, stopped: threading.Event) -> None:
        try:
            while not stopped.is_set():
                self._read()
        except httpx.TransportError:
            return

    def _read(self) -> None:
        library = self._rng.choice(list(SHARED))
        writer = self._rng.choice(self._writers)
        way = self._rng.randrange(4)
        if way == 0:
            self._note(self._search(library, k=10), library, None)
        elif way == 1:
            answer = self._search(library, k=1000, filter=of_writer(writer))
            self._note(answer, library, writer)
        elif way == 2:
            body = {"k": 1000, "filter": of_writer(writer), "include": ["metadata"], **BY_WORD}
            answer = self._api.post(f"/libraries/{library}/search", json=body)
            self._note(answer, library, writer)
        else:
            parameters = {"filter": json.dumps(of_writer(writer)), "limit": "1000"}
            answer = self._api.get(f"/libraries/{library}/chunks", params=parameters)
            self._note(answer, library, writer)

    def _search(self, library: str, **more: object) -> httpx.Response:
        query = [self._rng.gauss(0, 1) for _ in range(DIMENSION)]
        body = {"embedding": query, "include": ["metadata"], **more}
        return self._api.post(f"/libraries/{library}/search", json=body)

    def _note(self, answer: httpx.Response, library: str, writer: int | None) -> None:
        if not answer.is_success:
            if answer.status_code not in _REFUSALS:
                self._pen.wrong(f"a read was answered {answer.status_code} {answer.text}")
            return
        body = answer.json()
        rows = body["hits"] if "hits" in body else body["items"]
        versions = {row["metadata"]["born"]: row["version"] for row in rows}
        position = int(answer.headers["Nalanda-Position"])
        self._pen.record_read(Seen(position, library, writer, versions))


def main() -> None:
    stopped = threading.Event()
    path = sys.stdin.readline().rstrip("\n")
    if not path:
        return
    task: Task = pickle.loads(Path(path).read_bytes())
    with Pen(task.ledger) as pen, _client(task.url) as api:
        actors: list[Writer | Reader] = [
            *(Writer(number, task, api, pen) for number in task.writers),
            *(Reader(number, task, api, pen) for number in range(task.readers)),
        ]
        threads = [threading.Thread(target=actor.run, args=(stopped,)) for actor in actors]
        for thread in threads:
            thread.start()
        threading.Thread(target=_wait_for_the_end, args=(stopped,), daemon=True).start()
        for thread in threads:
            thread.join()


def _client(url: str) -> httpx.Client:
    """Return a connection for a thread, without TLS, so that no certificates are loaded."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.Client(base_url=url, timeout=_TIMEOUT_S, limits=limits, verify=False)


def _wait_for_the_end(stopped: threading.Event) -> None:
    os.read(sys.stdin.fileno(), 1)
    stopped.set()


if __name__ == "__main__":
    main()
