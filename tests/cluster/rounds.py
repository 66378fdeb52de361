"""Rounds: each is one fault under load, with a history of its own that is checked at its end."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any

from nalanda_check.history import read
from nalanda_check.main import violations
from tests.cluster.clients import CHANGES, KEYS, Client, Recorder
from tests.cluster.faults import RECOVERED_S, Cluster, Fault
from tests.cluster.servers import DATABASE, ReplicatedServers
from tests.threads import run_threads
from tests.waiting import until

_ROAMING = 3
"""Clients that ask any node; one more asks each node alone, so that a silent node holds up none."""
_FINAL = 100
"""The process of the reads at the end."""
_SAMPLE_S = 0.2


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a round.

    `lost`: the acknowledged writes that the log lacks. `compared`: the positions at which at least
    two nodes gave a digest. `pause_s`: the longest time without an acknowledged write.
    """

    operations: int
    acknowledged: int
    lost: int
    compared: int
    pause_s: float
    problems: Sequence[str]


class Digests:
    """The digests of nodes at their positions, as they were seen in a round."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._seen: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._has_come_apart = False

    @contextmanager
    def sample(self) -> Iterator[None]:
        """Ask all nodes again and again until the end of the block."""
        ended = Event()
        with run_threads(
            ended,
            *[partial(self._ask, node.look, ended, node.name) for node in self._cluster.nodes],
        ):
            yield

    def wait_until_equal(self) -> None:
        """Wait until all nodes have one digest at one position; note a problem if they get none."""

        def agree() -> bool:
            states = [node.look() for node in self._cluster.nodes]
            for node, state in zip(self._cluster.nodes, states, strict=True):
                self._note(node.name, state)
            marks = {state and (state["position"], state["digest"]) for state in states}
            return len(marks) == 1 and None not in marks and all(s and s["digest"] for s in states)

        try:
            until(agree, RECOVERED_S)
        except AssertionError:
            self._has_come_apart = True

    @property
    def compared(self) -> int:
        return sum(len(set().union(*nodes.values())) > 1 for nodes in self._seen.values())

    @property
    def problems(self) -> Iterator[str]:
        if self._has_come_apart:
            yield f"The nodes had no common digest within {RECOVERED_S:g} s."
        for position, digests in self._seen.items():
            if len(digests) > 1:
                yield f"The nodes differ at position {position}: {dict(digests)}"

    def _ask(self, look: Callable[[], Mapping[str, Any] | None], ended: Event, name: str) -> None:
        while not ended.wait(_SAMPLE_S):
            self._note(name, look())

    def _note(self, name: str, state: Mapping[str, Any] | None) -> None:
        if state is not None and state["digest"] is not None:
            self._seen[state["position"]][state["digest"]].add(name)


class Round:
    """Clients, and a fault amid their operations."""

    def __init__(self, number: int, name: str, fault: Fault, consistencies: Sequence[str]) -> None:
        self._name = name
        self._fault = fault
        self._consistencies = consistencies
        self._recorder = Recorder()
        # New keys, so that the history begins with what it knows: no chunk is there.
        self._keys = [f"r{number}-{key}" for key in range(KEYS)]

    def run(self, cluster: Cluster, path: Path, *, loses: bool = False) -> Verdict:
        """Run the round, and write its history; `loses`: acknowledged writes may be missing."""
        cluster = replace(cluster, recorder=self._recorder)
        digests = Digests(cluster)
        if loses:  # of positions that the record had twice
            self._load(cluster)
            digests.wait_until_equal()
        else:
            with digests.sample():
                self._load(cluster)
            digests.wait_until_equal()
        self._read_all(cluster)
        log = _log(cluster.servers)
        problems = [*digests.problems, *_old_epochs(log)]
        acknowledged = self._recorder.acknowledged
        lost = [each for each in acknowledged if not _is_in(log, each)]
        self._write(path, {position: epoch for position, (epoch, _) in log.items()})
        history = read(path)
        problems += map(str, violations(history))
        return Verdict(
            len(history),
            len(acknowledged),
            len(lost),
            digests.compared,
            longest_pause_s(path),
            problems,
        )

    def _load(self, cluster: Cluster) -> None:
        """Run clients through the fault, and until they write again."""
        urls = {node.name: node.url for node in cluster.nodes}
        choices = [*({name: url} for name, url in urls.items()), *[urls] * _ROAMING]
        clients = [
            Client(number, nodes, self._keys, self._recorder, self._consistencies)
            for number, nodes in enumerate(choices)
        ]
        ended = Event()
        with run_threads(ended, *(partial(client.run_until, ended.is_set) for client in clients)):
            cluster.wait_for_writes()
            self._fault(cluster)
            cluster.wait_for_writes()

    def _read_all(self, cluster: Cluster) -> None:
        """Read each key on each node, whose states are equal."""
        urls = {node.name: node.url for node in cluster.nodes}
        client = Client(_FINAL, urls, self._keys, self._recorder, ())
        for node in cluster.nodes:
            for key in self._keys:
                for consistency in ("strong", "eventual"):
                    until(partial(client.reads, key, node.name, consistency))

    def _write(self, path: Path, epochs: Mapping[int, int]) -> None:
        operations = sorted(self._recorder.operations, key=lambda o: int(o["invoke_ns"]))
        for operation in operations:
            operation["epoch"] = epochs.get(operation["position"])
        lines = [{"history": 1, "fault": self._name}, *operations]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def longest_pause_s(path: Path) -> float:
    """Return the longest time between two acknowledged writes of a history."""
    operations = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    times = sorted(
        o["complete_ns"] for o in operations if o["outcome"] == "ok" and o["op"] in CHANGES
    )
    return max(float(after - before) / 1e9 for before, after in pairwise(times))


def _log(servers: ReplicatedServers) -> Mapping[int, tuple[int, str]]:
    """Return the epoch and the changes of each position of the log."""
    with servers.primary.connect(DATABASE) as connection:
        rows = connection.execute("SELECT position, epoch, changes::text FROM log").fetchall()
    return {position: (epoch, changes) for position, epoch, changes in rows}


def _is_in(log: Mapping[int, tuple[int, str]], write: Mapping[str, Any]) -> bool:
    """Return whether the log has a write; a position before the log's first is kept no more."""
    position = int(write["position"])
    if position not in log:
        return position < min(log)
    return f'"{write["key"]}"' in log[position][1]


def _old_epochs(log: Mapping[int, tuple[int, str]]) -> Iterator[str]:
    """Yield the positions whose epoch is older than that of the position before."""
    positions = sorted(log.items())
    for (before, (newer, _)), (after, (older, _)) in pairwise(positions):
        if older < newer:
            yield f"Position {after} is of epoch {older}, and {before} of {newer}."
