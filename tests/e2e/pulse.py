"""Measurement of a server's hold-ups by a separate process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import httpx

_PROCESS_CLOCK = 2
"""Low bits of Linux's `clockid_t` for the CPU time of another process."""


@contextmanager
def pulse(url: str, pid: int) -> Iterator[list[float]]:
    """Poll `/livez` of a server's process; afterwards the list holds the longest hold-up in
    seconds.

    A hold-up is the smaller of two times: until the response, and the server's CPU time meanwhile.
    On a busy machine other processes cause the rest. A thread of the caller would wait for the GIL
    while the caller sends.
    """
    longest_s: list[float] = []
    spawn = get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_ask, args=(url, ~pid << 3 | _PROCESS_CLOCK, theirs))
    process.start()
    try:
        assert mine.recv() == "asking"
        yield longest_s
        mine.send("end")
        longest_s.append(mine.recv())
    finally:
        mine.close()
        process.join()


def _ask(url: str, clock: int, caller: Connection) -> None:
    longest_s = 0.0
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        http.get("/livez").raise_for_status()
        caller.send("asking")
        while not caller.poll(0.02):
            began_s, before_s = time.perf_counter(), time.clock_gettime(clock)
            http.get("/livez").raise_for_status()
            computed_s = time.clock_gettime(clock) - before_s
            longest_s = max(longest_s, min(time.perf_counter() - began_s, computed_s))
    caller.send(longest_s)
