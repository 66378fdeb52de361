"""`make bench ARGS=reembedding`: a library of 100,000 × 256 changes its model while it serves.

Two threads search by text and one writes, during a change and its revert. A text finds itself with
a cosine of 1 by the vectors of either model, so that an answer from mixed models shows. The second
model is a local server, of hashed words. `ARGS="reembedding kill"` also kills a process every few
seconds; `ARGS="reembedding 20000"` takes another number of chunks.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.index.report import write
from nalanda import (
    ChunkOptions,
    ConnectionFailed,
    Nalanda,
    NalandaError,
    ServerError,
    TimedOut,
)
from tests.e2e.stack import PARTS, Stack, second_model
from tests.openai_server import OpenAIServer

COUNT, DIMENSION, AT_ONCE = 100_000, 256, 500
KILL_EVERY_S = 10.0
NAME, OLD, NEW = "ships", "wordllama-256", "embedder"
AWAY = (ConnectionFailed, TimedOut, ServerError)


@dataclass
class Calls:
    """The calls of one thread: their times, and how many failed or were answered wrongly."""

    took_ms: list[float] = field(default_factory=list)
    failed: int = 0
    mixed: int = 0
    errors: set[str] = field(default_factory=set)

    def measured(self) -> dict[str, float]:
        ordered = sorted(self.took_ms)
        if not ordered:
            return {"calls": 0}
        return {
            "calls": len(ordered),
            "failed": self.failed,
            "mixed": self.mixed,
            "p50 ms": round(statistics.median(ordered), 2),
            "p99 ms": round(ordered[int(0.99 * len(ordered))], 2),
            "longest ms": round(ordered[-1], 1),
        }


async def main(*arguments: str) -> None:
    kills = "kill" in arguments
    count = next((int(word) for word in arguments if word.isdigit()), COUNT)
    with OpenAIServer() as models, tempfile.TemporaryDirectory() as folder:
        both = second_model(models, DIMENSION)
        with Stack(Path(folder)) as stack:
            stack.environments = {"api": both, "worker": both}
            stack.start_all()
            measured = _measure(stack, count, kills=kills)
    for phase, numbers in measured.items():
        print(f"  {phase:20} {numbers}", flush=True)
    write("reembedding-killed" if kills else "reembedding", measured)


def _measure(stack: Stack, count: int, *, kills: bool) -> dict[str, object]:
    with stack.client() as client:
        _fill(client, count)
        while client.index.get(NAME).state != "ready":
            time.sleep(0.5)
    measured: dict[str, object] = {"idle": _serve_for(stack, count, lambda: time.sleep(10))}
    measured["memory MiB before"] = _memory_mib(stack, "VmRSS")
    for phase in ("change", "revert"):
        began = time.monotonic()
        with stack.client() as client:
            if phase == "change":
                client.libraries.change_model(NAME, NEW)
            else:
                client.libraries.revert_model(NAME)
        with _killing(stack, enabled=kills):
            measured[phase] = _serve_for(stack, count, lambda: _wait_for_end(stack))
        measured[f"{phase} s"] = round(time.monotonic() - began, 1)
    measured["memory MiB at most"] = _memory_mib(stack, "VmHWM")
    with stack.client() as client:
        change = client.libraries.model_change(NAME)
        assert change.comparison is not None
        measured["comparison"] = change.comparison.model_dump()
        measured["state"] = change.state
        assert client.index.get(NAME).vectors >= count
    return measured


def _serve_for(stack: Stack, count: int, wait: Callable[[], None]) -> dict[str, object]:
    """Search and write while `wait` runs."""
    ended = threading.Event()
    searches, writes = [Calls(), Calls()], Calls()
    threads = [
        threading.Thread(target=_search, args=(stack.api_url, count, calls, ended))
        for calls in searches
    ]
    threads.append(threading.Thread(target=_write, args=(stack.api_url, writes, ended)))
    for thread in threads:
        thread.start()
    try:
        wait()
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    both = Calls(
        [took for calls in searches for took in calls.took_ms],
        sum(calls.failed for calls in searches),
        sum(calls.mixed for calls in searches),
    )
    errors = sorted({error for calls in (*searches, writes) for error in calls.errors})
    return {"searches": both.measured(), "writes": writes.measured(), "errors": errors[:5]}


def _search(url: str, count: int, calls: Calls, ended: threading.Event) -> None:
    number = 0
    with Nalanda(url, max_retries=0) as client:
        while not ended.is_set():
            number = (number + 7919) % count
            with _timed(calls):
                hit = client.search(NAME, text=_text(number), k=1).hits[0]
                calls.mixed += hit.score < 0.9999


def _write(url: str, calls: Calls, ended: threading.Event) -> None:
    number = 0
    with Nalanda(url, max_retries=0, timeout_s=60) as client:
        while not ended.is_set():
            number += 1
            with _timed(calls):
                text = f"Written {number}"
                client.chunks.put(NAME, f"w{number % 1_000}", document_id="ships", text=text)
            ended.wait(0.05)


@contextmanager
def _timed(calls: Calls) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    except NalandaError as error:
        calls.failed += 1
        calls.errors.add(str(error)[:200])
    calls.took_ms.append((time.perf_counter() - began) * 1e3)


@contextmanager
def _killing(stack: Stack, *, enabled: bool) -> Iterator[None]:
    """Kill the parts in turn, and start them again, while the block runs."""
    ended = threading.Event()

    def kill() -> None:
        turn = 0
        while not ended.wait(KILL_EVERY_S):
            part = PARTS[turn % len(PARTS)]
            stack.kill(part)
            stack.start(part)
            turn += 1

    killer = threading.Thread(target=kill)
    if enabled:
        killer.start()
    try:
        yield
    finally:
        ended.set()
        if enabled:
            killer.join()


def _wait_for_end(stack: Stack) -> None:
    with stack.client() as client:
        while True:
            try:
                state = client.libraries.model_change(NAME)
            except AWAY:
                continue
            if state.closed:
                return
            time.sleep(0.1)


def _fill(client: Nalanda, count: int) -> None:
    client.libraries.create(NAME, embedding_model=OLD)
    client.documents.replace(NAME, "ships", title="Ships")
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        chunks = [ChunkOptions(id=f"s{number}", text=_text(number)) for number in numbers]
        client.chunks.add(NAME, "ships", chunks)


def _text(number: int) -> str:
    words = " ".join(f"w{(number * step) % 9973}" for step in (1, 3, 7, 11, 13, 17, 19, 23))
    return f"Ship {number} carries {words} from Calicut to Hormuz with the winter monsoon."


def _memory_mib(stack: Stack, what: str) -> int:
    """Return the API's memory, now (`VmRSS`) or at most since its start (`VmHWM`)."""
    status = Path(f"/proc/{stack.pid('api')}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith(what))
    return int(line.split()[1]) // 1024
