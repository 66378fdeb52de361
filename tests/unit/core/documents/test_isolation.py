"""Parsers in processes: bounds on time and memory, crashes, and many threads."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.documents.errors import UnusableFile
from core.documents.isolation import ParserPool
from core.documents.kinds import parse_content

SLOW = b"*a " * 50_000
"""reStructuredText that takes docutils minutes."""


@pytest.fixture
def pool() -> Iterator[ParserPool]:
    made = ParserPool(2, memory_bytes=700 << 20)
    yield made
    made.close()


def test_a_document_is_as_without_a_process(pool: ParserPool) -> None:
    content = "---\ntitle: T\n---\n# A\n\nä *b*\n\n- c\n\n|d|\n|-|\n|e|\n\n```\nf\n```".encode()
    assert pool.parse(content, "a.md") == parse_content(content, "a.md")
    assert pool.parse(b"# A", "", "text/markdown").title == "A"


def test_a_refusal_has_its_reason(pool: ParserPool) -> None:
    for _ in range(2):
        with pytest.raises(UnusableFile, match="is an image"):
            pool.parse(b"\x89PNG", "a.png")


def test_what_takes_too_long_is_ended() -> None:
    pool = ParserPool(1, timeout_s=3)
    try:
        with pytest.raises(UnusableFile, match="more than 3 s"):
            pool.parse(SLOW, "a.rst")
        with pytest.raises(UnusableFile, match="more than 3 s"):
            pool.parse(SLOW, "a.rst")
    finally:
        pool.close()


def test_what_takes_too_much_memory_fails_alone(pool: ParserPool) -> None:
    with pytest.raises(UnusableFile, match="memory"):
        pool.parse(b"a" * (400 << 20), "a.txt")
    assert pool.parse(b"# A", "a.md").title == "A"


def test_a_process_that_is_killed_is_replaced(pool: ParserPool) -> None:
    pool.parse(b"# A", "a.md")
    (child,) = pool._idle
    os.kill(child.process.pid, signal.SIGKILL)
    child.process.wait()
    assert pool.parse(b"# B", "b.md").title == "B"


def test_a_process_that_dies_at_work_fails_its_file(pool: ParserPool) -> None:
    pool.parse(b"# A", "a.md")
    (child,) = pool._idle
    before = _ticks(child.process.pid)
    with ThreadPoolExecutor() as threads:
        asked = threads.submit(pool.parse, SLOW, "a.rst")
        while pool._idle or _ticks(child.process.pid) < before + 20:  # it is at work
            assert not asked.done()
        os.kill(child.process.pid, signal.SIGKILL)
        with pytest.raises(UnusableFile, match="ended its parser"):
            asked.result()
    assert pool.parse(b"# B", "b.md").title == "B"


def test_many_threads_share_few_processes(pool: ParserPool) -> None:
    with ThreadPoolExecutor(8) as threads:
        titles = threads.map(lambda n: pool.parse(f"# {n}".encode(), "a.md").title, range(40))
        assert list(titles) == [str(number) for number in range(40)]
    assert len(pool._idle) <= 2


def test_a_process_has_no_keys(pool: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CO_API_KEY", "secret")
    pool.parse(b"a", "a.txt")
    (child,) = pool._idle
    environment = Path(f"/proc/{child.process.pid}/environ")
    if environment.exists():  # macOS has none
        assert b"secret" not in environment.read_bytes()


def _ticks(pid: int) -> int:
    """Return the processor time of a process in ticks of a hundredth of a second."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:  # noqa: PTH123
        return int(file.read().rpartition(")")[2].split()[11])
