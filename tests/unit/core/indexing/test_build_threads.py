import os
import sys
import threading

import pytest

from core.indexing.build_threads import build_threads


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no niceness of its own")
def test_they_give_way_and_nobody_else_does() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    with build_threads(2) as pool:
        assert {pool.submit(niceness).result() for _ in range(4)} == {max(before, 10)}
    assert niceness() == before
