"""`make bench ARGS=following`: a follower over 100,000 × 384: its start, its lag, its catch-up.

A leader and a follower are processes on one PostgreSQL. *Ready* is the time from the process's
start until `/readyz` answers 200: with a checkpoint that the follower fetches from the leader, and
with its own. For the *catch-up* the follower is paused (SIGSTOP) while 32 clients write single
chunks to the leader. Memory is the resident set, which includes the mapped files that were read.
*Lag* is the time from the acknowledgement of a write until a follower has it (`benchmarks/lag.py`).
"""

import itertools
import os
import shutil
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.connections import children_of, command_of
from benchmarks.index.report import write
from benchmarks.lag import lags_ms
from benchmarks.postgres import postgres_server
from benchmarks.resident import forget_peak, peak_rss_mb, rss_mb
from benchmarks.rest_writes import client_of
from benchmarks.server import PORT, serve
from cli.processes.ports import first_free
from nalanda import ChunkOptions, Nalanda

CHUNKS, PER_DOCUMENT, DIMENSION = 100_000, 500, 384
BEHIND, CLIENTS = 100_000, 32
STARTS = 3
LIBRARY = "l"
TEXT = "A sentence that is as long as sentences in documents tend to be. " * 5
_EVENTUAL = {"Nalanda-Consistency": "eventual"}
_PATIENCE_S = 600.0
_POLL_S = 0.05


async def main() -> None:
    vectors = np.random.default_rng(0).standard_normal((CHUNKS, DIMENSION), np.float32)
    # Not in the temporary directory, which is in memory on some machines.
    with (
        tempfile.TemporaryDirectory(prefix=".following-", dir=Path.cwd()) as folder,
        postgres_server(Path(folder, "postgres")) as database,
    ):
        measured = {
            **_measure(Path(folder), database(), vectors),
            **lags_ms(Path(folder), database()),
        }
    for name, figure in measured.items():
        print(f"  {name:58} {figure:10,.2f}", flush=True)
    write("following", measured)


def _measure(folder: Path, url: str, vectors: NDArray[np.float32]) -> Mapping[str, float]:
    environment = {"NALANDA_DATABASE_URL": url}
    with serve(folder / "leader", environment=environment) as leader:
        _fill(leader, vectors)
    # A node that comes back at another address waits until its last one is surely gone.
    follower, port = folder / "follower", first_free(PORT + 50)
    with serve(folder / "leader", environment=environment) as leader:
        _wait_until_ready(leader)
        fetched, own = [], []
        for _ in range(STARTS):
            shutil.rmtree(follower, ignore_errors=True)
            fetched.append(_start_s(follower, environment, port))
            own.append(_start_s(follower, environment, port))
        measured = {
            "ready with a checkpoint of the leader, s": statistics.median(fetched),
            "ready with its own checkpoint, s": statistics.median(own),
        }
        with serve(follower, environment=environment, port=port) as api:
            _wait_until_ready(api)
            measured |= _catch_up(leader, api, _pid_of(follower), vectors[0])
    return measured


def _fill(api: httpx.Client, vectors: NDArray[np.float32]) -> None:
    with Nalanda(str(api.base_url)) as client:
        client.libraries.create(LIBRARY, dimension=DIMENSION)
        for start in range(0, len(vectors), PER_DOCUMENT):
            part = vectors[start : start + PER_DOCUMENT]
            chunks = [ChunkOptions(text=f"{TEXT}{n}", embedding=row) for n, row in enumerate(part)]
            client.documents.create(LIBRARY, chunks=chunks)
    deadline = time.monotonic() + _PATIENCE_S
    while api.get(f"/libraries/{LIBRARY}/index").json()["state"] != "ready":
        _check(deadline)
        time.sleep(_POLL_S)


def _start_s(data: Path, environment: Mapping[str, str], port: int) -> float:
    """Return the seconds until a node is ready."""
    began = time.perf_counter()
    with serve(data, environment=environment, port=port) as api:
        _wait_until_ready(api)
        return time.perf_counter() - began


def _wait_until_ready(api: httpx.Client) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not api.get("/readyz").is_success:
        _check(deadline)
        time.sleep(0.01)


def _catch_up(
    leader: httpx.Client, follower: httpx.Client, pid: int, vector: NDArray[np.float32]
) -> Mapping[str, float]:
    with _paused(pid):
        written_s = _write_many(leader, vector)
        forget_peak(pid)
        before_mb = rss_mb(pid)
        wanted = _position(leader)
        began = time.perf_counter()
    deadline = time.monotonic() + _PATIENCE_S
    while _position(follower) < wanted:
        _check(deadline)
        time.sleep(_POLL_S)
    caught_up_s = time.perf_counter() - began
    return {
        "writes of the leader a second": BEHIND / written_s,
        "entries that the follower catches up a second": BEHIND / caught_up_s,
        "ratio of both": written_s / caught_up_s,
        "memory of the follower before, MB": before_mb,
        "highest memory during the catch-up, MB": peak_rss_mb(pid),
        "memory of the new vectors alone, MB": BEHIND * DIMENSION * 4 / 2**20,
    }


@contextmanager
def _paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _write_many(api: httpx.Client, vector: NDArray[np.float32]) -> float:
    """Write `BEHIND` chunks, each in a write of its own; return the seconds."""
    client = client_of(api, TEXT, vector.tobytes())
    numbers = itertools.count()
    failures: list[BaseException] = []

    def run() -> None:
        write_one = client()
        try:
            while (number := next(numbers)) < BEHIND:
                write_one(f"behind-{number}")
        except BaseException as error:
            failures.append(error)
            raise

    began = time.perf_counter()
    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    _run_all(threads)
    if failures:
        raise failures[0]
    return time.perf_counter() - began


def _run_all(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _position(api: httpx.Client) -> int:
    """Return the position of a read that waits for nothing."""
    path = f"/libraries/{LIBRARY}/index"
    return int(api.get(path, headers=_EVENTUAL).headers["Nalanda-Position"])


def _pid_of(data: Path) -> int:
    """Return the process of a data directory's server, which is a child of this process."""
    [pid] = [each for each in children_of(os.getpid()) if str(data).encode() in command_of(each)]
    return pid


def _check(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError(f"The nodes have not done it in {_PATIENCE_S:.0f} s.")
