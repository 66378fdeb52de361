"""`python -m tests.cluster.questions`: questions asked while the leader fails again and again.

Three nodes, a Temporal server and a worker; clients that know all nodes ask questions of which each
has one right answer. Every few questions the leader fails: it is killed and started again, or it is
paused until another node leads. It ends with 0 if each answer is right.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from queue import Empty, Queue

from nalanda import Nalanda, NalandaError, QueryResult
from tests.e2e.nodes import ELECTED_S, Nodes, leader_of, nodes_of, open_services, wait_for_leader
from tests.e2e.stack import Stack
from tests.postgres import missing_for_root
from tests.standby import primary
from tests.threads import run_threads
from tests.waiting import until

LIBRARY = "harbours"
PATIENCE_S = 180.0
CLIENTS = 4
NODES = 3
LEASE_S = 2
_STARTS = ("Ba", "Ca", "Do", "Fe", "Ga", "Hi", "Jo", "Ka", "Lu", "Mo", "Na", "Pe", "Ra", "So", "Tu")
_ENDS = (
    "bari",
    "cona",
    "dera",
    "fani",
    "gora",
    "kesh",
    "lund",
    "mira",
    "nova",
    "pora",
    "rande",
    "sund",
    "tola",
    "vara",
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of one document, and the question that it alone answers."""

    harbour: str
    depth: int

    @property
    def text(self) -> str:
        return f"The harbour of {self.harbour} is {self.depth} fathoms deep at high tide."

    @property
    def question(self) -> str:
        return f"How deep is the harbour of {self.harbour}?"

    def is_answered_by(self, result: QueryResult) -> bool:
        """Return whether a result quotes this fact first, and says its depth."""
        quotes = [citation.quote for citation in result.citations]
        said = f"{self.harbour} is {self.depth} fathoms"
        return quotes[:1] == [self.text] and said in str(result.answer)


def facts(count: int) -> list[Fact]:
    """Return facts about harbours, no two of which have one name; at most 210."""
    names = [f"{start}{end}" for end in _ENDS for start in _STARTS]
    return [Fact(name, 5 + number) for number, name in enumerate(names[:count])]


@dataclass(slots=True)
class Outcomes:
    """The answers so far; any client appends to the lists."""

    waits_s: list[float] = field(default_factory=list)
    """The time of each right answer."""
    problems: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.waits_s) + len(self.problems)


class Askers:
    """Clients that ask each question of a queue once."""

    def __init__(self, urls: Sequence[str], asked: Sequence[Fact]) -> None:
        self.outcomes = Outcomes()
        self._urls = urls
        self._left: Queue[Fact] = Queue()
        for fact in asked:
            self._left.put(fact)

    def run_until(self, ended: threading.Event) -> None:
        with Nalanda(self._urls, timeout_s=PATIENCE_S) as client:
            while not ended.is_set():
                try:
                    fact = self._left.get_nowait()
                except Empty:
                    return
                self._ask(client, fact)

    def _ask(self, client: Nalanda, fact: Fact) -> None:
        began = time.monotonic()
        try:
            result = client.ask(LIBRARY, fact.question, timeout_s=PATIENCE_S)
        except NalandaError as error:
            self.outcomes.problems.append(f"{fact.question} {error!r}")
            return
        if fact.is_answered_by(result):
            self.outcomes.waits_s.append(time.monotonic() - began)
        else:
            self.outcomes.problems.append(f"{fact.question} {result.answer!r}")


def kill(nodes: Nodes) -> None:
    """Kill the leader, wait until another node leads, and start it again."""
    leader = wait_for_leader(nodes)
    nodes[leader].kill("api")
    _wait_for_another(nodes, leader)
    nodes[leader].start("api")


def pause(nodes: Nodes) -> None:
    """Pause the leader until another node leads."""
    leader = wait_for_leader(nodes)
    os.kill(nodes[leader].pid("api"), signal.SIGSTOP)
    try:
        _wait_for_another(nodes, leader)
    finally:
        os.kill(nodes[leader].pid("api"), signal.SIGCONT)


FAILURES: Mapping[str, Callable[[Nodes], None]] = {"kill": kill, "pause": pause}


def _wait_for_another(nodes: Nodes, leader: str) -> None:
    others = [url for url in nodes if url != leader]
    until(lambda: all(leader_of(url) not in {leader, None} for url in others), ELECTED_S)


@contextmanager
def open_cluster(folder: Path, database_url: str) -> Iterator[Nodes]:
    """Start Temporal, three nodes and a worker that knows all of them."""
    with open_services(folder) as services:
        temporal = {"NALANDA_TEMPORAL_ADDRESS": services.temporal_address}
        settings = {"NALANDA_LEASE_S": str(LEASE_S), "NALANDA_PROVIDER": "local", **temporal}
        with nodes_of(folder, database_url, NODES, **settings) as stacks:
            nodes: dict[str, Stack] = {node.api_url: node for node in stacks}
            services.environments = {"worker": {"NALANDA_API_URL": ",".join(nodes)}}
            services.start("worker")
            yield nodes


def ask(nodes: Nodes, questions: int, failures: int) -> Outcomes:
    """Ask questions, and let the leader fail in between; return what was answered."""
    urls = list(nodes)
    known = facts(questions)
    with Nalanda(urls, timeout_s=PATIENCE_S) as client:
        client.libraries.create(LIBRARY)
        for fact in known:
            client.documents.create(LIBRARY, title=fact.harbour, chunks=[{"text": fact.text}])
    askers = Askers(urls, [known[number % len(known)] for number in range(questions)])
    ended = threading.Event()
    with run_threads(ended, *[partial(askers.run_until, ended)] * CLIENTS):
        for number in range(failures):
            due = questions * number // failures
            until(partial(_has, askers.outcomes, due), PATIENCE_S)
            name = list(FAILURES)[number % len(FAILURES)]
            FAILURES[name](nodes)
            print(f"{askers.outcomes.count:4} answers, {name} {number + 1}", flush=True)
        until(partial(_has, askers.outcomes, questions), questions * PATIENCE_S)
    return askers.outcomes


def _has(outcomes: Outcomes, count: int) -> bool:
    return outcomes.count >= count


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.questions", description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--failures", type=int, default=20, help="kills and pauses in turn")
    options = parser.parse_args()
    if missing := missing_for_root():
        parser.exit(1, f"{missing}\n")
    with (
        primary() as server,
        server.database() as url,
        tempfile.TemporaryDirectory(prefix="nalanda-questions-") as folder,
        open_cluster(Path(folder), url) as nodes,
    ):
        outcomes = ask(nodes, options.questions, options.failures)
    for problem in outcomes.problems:
        print(f"  {problem}")
    print(
        f"{options.questions} questions, {options.failures} failures of the leader:"
        f" {len(outcomes.waits_s)} right answers, the slowest after"
        f" {max(outcomes.waits_s, default=0):.1f} s"
    )
    return min(len(outcomes.problems), 1)


if __name__ == "__main__":
    sys.exit(main())
