"""A few rounds of the bench, and proof that it would have seen what was lost."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.crash.driver import Bench, Broken
from tests.crash.endings import Ending, How
from tests.crash.run import run


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with closing(Bench(tmp_path)) as bench:
        yield bench


def test_a_few_rounds(bench: Bench) -> None:
    endings = [
        Ending(How.KILL, 0.3),
        Ending(How.CLIENTS, 0.3),
        Ending(How.KILL, 0.2, first_killed_after_s=0.5),
        Ending(How.KILL, 0.3, damage=True),
        Ending(How.STOP, 0.2),
        Ending(How.KILL, 0.4),
    ]
    run(bench, [(ending, random.Random(i)) for i, ending in enumerate(endings)], seed=1)
    assert bench.report.acknowledged > 0
    assert bench.report.reads > 0


@pytest.mark.parametrize(
    ("doctored", "kind"),
    [
        ("DELETE FROM chunks WHERE rowid = (SELECT min(rowid) FROM chunks)", "lost"),
        ("UPDATE chunks SET version = version - 1", "lost"),
        ("UPDATE cluster SET position = position + 1", "gap"),
        ("DELETE FROM log WHERE position = 5", "gap"),
    ],
)
def test_what_a_server_has_lost_is_found(bench: Bench, doctored: str, kind: str) -> None:
    rng = random.Random(1)
    bench.renew()
    bench.round(Ending(How.STOP, 0.5), rng)
    with closing(apsw.Connection(str(bench.data_dir / "nalanda.db"))) as connection:
        connection.execute(doctored)
    with pytest.raises(Broken, match=f"{kind}: "):
        bench.finish(rng)
