"""A few rounds of the bench, and a proof that it detects losses."""

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
        Ending(How.KILL, after_writes=40),
        Ending(How.CLIENTS, after_writes=20),
        Ending(How.KILL, after_writes=20, first_killed_after_s=0.5),
        Ending(How.KILL, after_writes=40, damage=True),
        Ending(How.STOP, after_writes=20),
        Ending(How.KILL, after_writes=40),
    ]
    run(bench, [(ending, random.Random(i)) for i, ending in enumerate(endings)], seed=1)
    assert bench.report.acknowledged >= 180
    assert bench.report.reads > 0


@pytest.mark.parametrize(
    ("doctored", "kind"),
    [
        ("DELETE FROM chunks WHERE rowid = (SELECT min(rowid) FROM chunks)", "lost"),
        ("UPDATE cluster SET position = position + 1", "gap"),
    ],
)
def test_what_a_server_has_lost_is_found(bench: Bench, doctored: str, kind: str) -> None:
    rng = random.Random(1)
    bench.renew()
    bench.round(Ending(How.STOP, after_writes=40), rng)
    with closing(apsw.Connection(str(bench.data_dir / "nalanda.db"))) as connection:
        connection.execute(doctored)
    with pytest.raises(Broken, match=f"{kind}: "):
        bench.finish(rng)
