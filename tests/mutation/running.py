"""A run of damaged files through the parsers' processes."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from random import Random

from core.documents.errors import UnusableFile
from core.documents.isolation import ParserPool
from core.documents.splitting import split
from tests.mutation.mutating import SEEDS, mutate

TIMEOUT_S = 60.0


def run(
    files: int, seed: int, seeds: Mapping[str, Callable[[], bytes]] = SEEDS
) -> Iterator[tuple[str, Counter[str]]]:
    """Yield each seed with the outcomes of its files: `document`, `line`, `time` and `crash`.

    Raises:
        AssertionError: a refusal is no clear line.
    """
    pool = ParserPool(timeout_s=TIMEOUT_S)
    try:
        with ThreadPoolExecutor(2) as threads:
            for name, make in seeds.items():
                random, content = Random(f"{seed} {name}"), make()
                damaged = [mutate(name, content, random) for _ in range(files)]
                outcomes = threads.map(lambda one, name=name: _outcome(pool, one, name), damaged)
                yield name, Counter(outcomes)
    finally:
        pool.close()


def _outcome(pool: ParserPool, content: bytes, name: str) -> str:
    try:
        split(pool.parse(content, name))
    except UnusableFile as error:
        reason = str(error)
        assert reason.strip()
        assert "Traceback" not in reason
        if "more than" in reason and " s to read" in reason:
            return "time"
        return "crash" if "ended its parser" in reason else "line"
    return "document"
