"""The checker finds what the fence prevents: writes of a leader that another one has deposed."""

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest

from core.adapters.postgres import PostgresStore
from core.domain.errors import Unavailable
from nalanda_check.history import parse
from nalanda_check.main import violations
from nalanda_check.positions import EPOCHS, ORDER, REUSE
from tests.cluster.without_fence import WITHOUT_FENCE
from tests.samples import a_document, a_library, a_row


def write(store: PostgresStore, epoch: int, value: int) -> dict[str, Any]:
    """Write the value of a chunk in an epoch's process; return the operation of the history."""
    invoke_ns = time.monotonic_ns()
    position, outcome = None, "fail"
    try:
        with store.write() as unit:
            unit.chunks.put("lib", [a_row("c", metadata={"value": value})])
            unit.commit()
    except Unavailable:
        pass
    else:
        position, outcome = unit.position, "ok"
    return {
        "process": epoch,
        "op": "write",
        "key": "c",
        "value": value,
        "invoke_ns": invoke_ns,
        "complete_ns": time.monotonic_ns(),
        "outcome": outcome,
        "position": position,
        "epoch": epoch,
    }


@pytest.mark.parametrize("fence", [True, False], ids=["fence", "no fence"])
def test_the_history_of_a_deposed_leader(postgres_url: str, tmp_path: Path, fence: bool) -> None:
    with closing(PostgresStore(postgres_url, tmp_path / "deposed")) as deposed:
        with deposed.write() as unit:
            unit.libraries.put(a_library())
            unit.documents.put(a_document())
            unit.commit()
        if not fence:
            with psycopg.connect(postgres_url) as connection:
                connection.execute(WITHOUT_FENCE)
        before = write(deposed, 1, 1)
        with closing(PostgresStore(postgres_url, tmp_path / "leader")) as leader:
            operations = [before, write(leader, 2, 2), write(deposed, 1, 3), write(leader, 2, 4)]
    lines = [json.dumps(line) + "\n" for line in ({"history": 1}, *operations)]
    promises = {violation.promise for violation in violations(parse("".join(lines)))}
    assert promises == (set() if fence else {EPOCHS, ORDER, REUSE})
    assert operations[2]["outcome"] == ("fail" if fence else "ok")
