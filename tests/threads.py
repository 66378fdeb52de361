"""Threads of a test that run until the end of the block that starts them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread


@contextmanager
def run_threads(ended: Event, *targets: Callable[[], None]) -> Iterator[None]:
    """Run each target in a thread; at the end of the block set `ended`, and wait for all."""
    threads = [Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()
