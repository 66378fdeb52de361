"""`make demo-cluster`: three nodes, two workers, a PostgreSQL with a synchronous standby.

Under load the demo kills the leader, then the primary database, and shows what clients saw. It
ends with 0 if no acknowledged write is lost, no call failed and all nodes have the same state.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from cli.output.terminal import console
from nalanda import Nalanda
from tests.cluster.demo.board import Board, status_of
from tests.cluster.demo.load import LIBRARY, Load, Outcomes
from tests.cluster.replicated import ReplicatedDatabase, replicated_database
from tests.e2e.nodes import nodes_of, open_services
from tests.e2e.stack import Stack
from tests.postgres import missing_for_root
from tests.waiting import until

NODES = 3
WORKERS = 2
LEASE_S = 3
LOAD_S = 8.0
"""The time of load before and after each kill."""
RECOVERED_S = 120.0


class Demo:
    def __init__(self, folder: Path, database: ReplicatedDatabase, stack: ExitStack) -> None:
        """Start the parts, which end with the stack."""
        self._database = database
        services = stack.enter_context(open_services(folder))
        temporal = {"NALANDA_TEMPORAL_ADDRESS": services.temporal_address}
        settings = {"NALANDA_LEASE_S": str(LEASE_S), "NALANDA_REQUIRE_SYNCHRONOUS": "true"}
        self._nodes = stack.enter_context(
            nodes_of(folder, database.url, NODES, **settings, **temporal)
        )
        self.urls = [node.api_url for node in self._nodes]
        for number in range(WORKERS):
            worker = stack.enter_context(Stack(_created(folder / f"worker-{number}")))
            worker.environments = {"worker": {"NALANDA_API_URL": ",".join(self.urls), **temporal}}
            worker.start("worker")
        self._load = Load(self.urls)
        self.board = Board(console(), self.urls, self._load.outcomes)

    def run(self) -> Sequence[str]:
        """Run the load through both kills; return what went wrong."""
        outcomes = self._load.outcomes
        with self._load.run():
            time.sleep(LOAD_S)
            self.board.say(
                f"Load of {LOAD_S:.0f} s; a client waited at most {_longest(outcomes, 0)}."
            )
            before = len(outcomes.waits_s)
            self._kill_leader()
            self.board.say(
                f"The leader was killed; a client waited at most {_longest(outcomes, before)}."
            )
            before, began = len(outcomes.waits_s), time.monotonic()
            self._database.fail_over()
            away_s = time.monotonic() - began
            self._wait_for_writes()
            self.board.say(
                f"PostgreSQL's primary was killed, and its standby led after {away_s:.1f} s; a"
                f" client waited at most {_longest(outcomes, before)}."
            )
        problems = [*outcomes.problems, *self._compare()]
        self.board.say(
            f"{len(outcomes.written)} acknowledged writes and {outcomes.answered} answers,"
            f" {len(outcomes.problems)} errors; {len(problems)} problems."
        )
        return problems

    def _kill_leader(self) -> None:
        leaders: list[Stack] = []

        def find_leader() -> bool:
            leaders[:] = [node for node in self._nodes if _leads(node.api_url)]
            return len(leaders) == 1

        until(find_leader, RECOVERED_S)
        [leader] = leaders
        leader.kill("api")
        self._wait_for_writes()
        leader.start("api")

    def _wait_for_writes(self) -> None:
        enough = len(self._load.outcomes.written) + 20
        until(lambda: len(self._load.outcomes.written) >= enough, RECOVERED_S)
        time.sleep(LOAD_S)

    def _compare(self) -> list[str]:
        """Return the differences between the nodes, and the acknowledged writes that one lacks."""
        problems = []
        states: list[tuple[int, str] | None] = []

        def have_one_position() -> bool:
            states[:] = map(_state, self.urls)
            return all(states) and len({state[0] for state in states if state}) == 1

        until(have_one_position, RECOVERED_S)
        if len(set(states)) > 1:
            problems.append(f"The nodes differ: {states}")
        written = set(self._load.outcomes.written)
        lost = ((url, written - _chunks(url)) for url in self.urls)
        problems += [f"{url} lacks {len(ids)} acknowledged writes" for url, ids in lost if ids]
        return problems


def _created(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _longest(outcomes: Outcomes, since: int) -> str:
    return f"{outcomes.longest_wait_s(since):.2f} s"


def _leads(url: str) -> bool:
    status = status_of(url)
    return status is not None and status["role"] == "leader"


def _state(url: str) -> tuple[int, str] | None:
    """Return the position of a node and the digest there, or `None` while it computes that."""
    status = status_of(url)
    if status is None or status["digest"] is None:
        return None
    return status["position"], status["digest"]


def _chunks(url: str) -> set[str]:
    with Nalanda(url, consistency="eventual") as client:
        return {chunk.id for chunk in client.chunks.list(LIBRARY, page_size=1000)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo-cluster", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the last comparison")
    options = parser.parse_args()
    if missing := missing_for_root():
        parser.exit(1, f"{missing}\n")
    with (
        tempfile.TemporaryDirectory(prefix="nalanda-demo-") as folder,
        replicated_database() as database,
        ExitStack() as stack,
        suppress(KeyboardInterrupt),
    ):
        demo = Demo(Path(folder), database, stack)
        with demo.board.show():
            problems = demo.run()
            for problem in problems:
                demo.board.say(problem)
            if not options.once:
                demo.board.say("The cluster runs on until Ctrl-C.")
                threading.Event().wait()
        return min(len(problems), 1)
    return 130


if __name__ == "__main__":
    sys.exit(main())
