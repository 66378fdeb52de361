"""How long a server holds up those who ask if it lives, by a process that does nothing else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import httpx

_PROCESS_CLOCK = 2
"""What Linux's `clockid_t` of another process ends with, for all of its threads together."""


@contextmanager
def pulse(url: str, pid: int) -> Iterator[list[float]]:
    """Ask `/livez` of a server's process all the while; afterwards the list holds the longest
    hold-up in seconds.

    A hold-up is the time until an answer, or what the server computed in that time if that is
    less: on a busy machine the rest was other processes'. A thread of the caller's would wait for
    the interpreter while the caller sends.
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
