"""How long a server takes to say that it lives, asked by a process that does nothing else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import httpx


@contextmanager
def pulse(url: str) -> Iterator[list[float]]:
    """Ask `/livez` all the while; afterwards the list holds the longest answer's seconds.

    A thread of the caller's would wait for the interpreter while the caller sends.
    """
    longest_s: list[float] = []
    spawn = get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=_ask, args=(url, theirs))
    process.start()
    try:
        assert mine.recv() == "asking"
        yield longest_s
        mine.send("end")
        longest_s.append(mine.recv())
    finally:
        mine.close()
        process.join()


def _ask(url: str, caller: Connection) -> None:
    longest_s = 0.0
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        http.get("/livez").raise_for_status()
        caller.send("asking")
        while not caller.poll(0.02):
            began = time.perf_counter()
            http.get("/livez").raise_for_status()
            longest_s = max(longest_s, time.perf_counter() - began)
    caller.send(longest_s)
