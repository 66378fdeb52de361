"""One run: files are ingested under kills, then without, and both libraries are compared."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from core.domain.batches import batches
from nalanda import (
    ConnectionFailed,
    Ingestion,
    IngestionHandle,
    IngestItemOptions,
    Nalanda,
    ServerError,
    TimedOut,
    UnavailableError,
)
from tests.chaos.comparing import content_of, differences
from tests.chaos.killing import Killer
from tests.e2e.stack import Stack

T = TypeVar("T")

PATIENCE_S = 900.0
"""Limit of the time without progress: kills come faster than restarts on a loaded machine."""

POISON = "poison.pdf"
"""A file that can't be read: it fails in both runs, and the others come in."""

_FILES_OF_AN_INGESTION = 500
_POLL_S = 0.2
_AWAY = (ConnectionFailed, TimedOut, UnavailableError, ServerError)


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of a run; without `differences` it has passed."""

    files: int
    chunks: int
    disturbed_s: float
    undisturbed_s: float
    kills: Counter[str]
    differences: list[str]

    def __str__(self) -> str:
        kills = ", ".join(f"{number} x {part}" for part, number in sorted(self.kills.items()))
        return (
            f"{self.files} files, {self.chunks} chunks: {self.disturbed_s:.0f} s with kills "
            f"({kills}), {self.undisturbed_s:.0f} s without; {len(self.differences)} differences"
        )


def run(
    stack: Stack,
    files: Mapping[str, bytes],
    *,
    every_s: float,
    seed: int,
    rounds: int | None = None,
) -> Report:
    """Ingest the files and a poisoned one twice, and compare the libraries.

    `every_s`, `rounds`: the seconds between kills, and the number of kills.

    Raises:
        AssertionError: an ingestion did not complete, or its counts are wrong.
    """
    files = {**files, POISON: b"%PDF-1.7 and no more"}
    killer = Killer(stack, every_s=every_s, seed=seed, rounds=rounds)
    began = time.monotonic()
    with killer.at_work():
        _ingest_all(stack, "disturbed", files)
        disturbed_s = time.monotonic() - began
    began = time.monotonic()
    _ingest_all(stack, "undisturbed", files)
    undisturbed_s = time.monotonic() - began
    with stack.client() as client:
        disturbed, undisturbed = (content_of(client, x) for x in ("disturbed", "undisturbed"))
    assert len(undisturbed.documents) == len(files) - 1
    return Report(
        len(files),
        len(undisturbed.chunks),
        disturbed_s,
        undisturbed_s,
        killer.kills,
        differences(disturbed, undisturbed),
    )


def _ingest_all(stack: Stack, library: str, files: Mapping[str, bytes]) -> None:
    """Ingest the files by ingestions that run at once, and check what they report."""
    _persist(stack, lambda client: client.libraries.replace(library, library))
    items = [IngestItemOptions(source=source, content=files[source]) for source in files]
    started = []
    for number, batch in enumerate(batches(items, _FILES_OF_AN_INGESTION)):
        start = partial(_start, library=library, items=batch, key=f"{library}-{number}")
        started.append(_persist(stack, start))
    ended = [_wait(stack, handle.workflow_id) for handle in started]
    assert {state.status for state in ended} == {"completed"}, ended
    assert [f.source for state in ended for f in state.failures] == [POISON]
    counts = [state.files for state in ended]
    assert sum(each.added for each in counts) == len(files) - 1, counts
    assert sum(each.failed for each in counts) == 1, counts
    with stack.client() as client:
        stored = client.index.get(library).vectors
    assert sum(state.chunks for state in ended) == stored


def _start(
    client: Nalanda, *, library: str, items: Sequence[IngestItemOptions], key: str
) -> IngestionHandle:
    return client.ingestions.start(library, items, idempotency_key=key)


def _wait(stack: Stack, workflow_id: str) -> Ingestion:
    most, progressed_s = 0, time.monotonic()
    while not (state := _persist(stack, lambda c: c.ingestions.get(workflow_id))).closed:
        done = state.files.added + state.files.failed
        if done > most:  # without a worker the counts are 0
            most, progressed_s = done, time.monotonic()
        assert time.monotonic() < progressed_s + PATIENCE_S, state
        time.sleep(_POLL_S)
    return state


def _persist(stack: Stack, call: Callable[[Nalanda], T]) -> T:
    """Return the call's result, once the processes that it needs are there."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with stack.client() as client:
                return call(client)
        except _AWAY:
            assert time.monotonic() < deadline
            time.sleep(_POLL_S)
