"""`python -m tests.cluster FOLDER`: rounds with faults, and a verdict on the history of each.

Three nodes, a PostgreSQL primary and two standbys, each in a network namespace of its own, which
needs root; `--on-this-machine` does without, and without the faults of the network. Each round has
its history in FOLDER. `--losing` makes the standbys asynchronous ones, and loses writes;
`--without-fence` shows that the checker finds what the fence prevents.
"""

import argparse
import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import cycle, islice
from pathlib import Path

from tests.cluster.clients import consistencies, prepare
from tests.cluster.clock import WallClock, build_library
from tests.cluster.faults import (
    ANYWHERE,
    IN_A_NETWORK,
    LOSING,
    OF_CLOCKS,
    RECOVERED_S,
    Cluster,
    Fault,
)
from tests.cluster.nodes import KEY, SUSPENDED, Node
from tests.cluster.places import Network, ThisMachine
from tests.cluster.rounds import Round, Verdict
from tests.cluster.servers import DATABASE, ReplicatedServers
from tests.cluster.without_fence import WITHOUT_FENCE
from tests.postgres import missing_for_root
from tests.waiting import until

_SERVERS = 3
_NAMED = ("The record went back", "the database has lost writes", "the database has other writes")
"""The log messages of a node that notices the loss of acknowledged writes."""


def main() -> int:
    """Run the rounds; return 1 if any of them is not as it has to be."""
    options = _options()
    faults: Mapping[str, Fault] = options.faults
    outcomes: dict[str, list[tuple[Verdict, bool]]] = {}
    status = 0
    # The processes that it has started end with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with _open_cluster(options) as cluster:
            for number, name in enumerate(islice(cycle(options.fault), options.rounds)):
                verdict, is_right = _run(number, name, faults[name], cluster, options)
                outcomes.setdefault(name, []).append((verdict, is_right))
                status |= not is_right
    except AssertionError as error:  # of a wait in a fault
        print(f"A round has not ended: {error}", flush=True)
        status = 1
    except KeyboardInterrupt:
        print("Interrupted.", flush=True)
        status = 130
    _summarize(outcomes)
    return status


def _run(
    number: int, name: str, fault: Fault, cluster: Cluster, options: argparse.Namespace
) -> tuple[Verdict, bool]:
    """Run a round and print its verdict; return it, and whether it is as it has to be."""
    path = options.folder / f"{number:04}-{name}.jsonl"
    marks = [len(node.log) for node in cluster.nodes]
    one = Round(number, name, fault, options.consistency)
    verdict = one.run(cluster, path, loses=options.losing)
    named = sum(
        any(words in node.log[mark:] for words in _NAMED)
        for node, mark in zip(cluster.nodes, marks, strict=True)
    )
    print(
        f"{path.name}: {'violated' if verdict.problems else 'sound'}:"
        f" {verdict.operations} operations, {verdict.acknowledged} acknowledged writes,"
        f" {verdict.lost} lost,"
        f" {verdict.pause_s:.1f} s without one, {verdict.compared} positions compared,"
        f" {named} nodes say that writes are missing",
        flush=True,
    )
    if not options.losing:
        for problem in verdict.problems[:5]:
            print(f"  {problem}", flush=True)
        return verdict, not verdict.problems and not verdict.lost
    return verdict, bool(verdict.problems and verdict.lost) and named == len(cluster.nodes)


def _summarize(outcomes: Mapping[str, Sequence[tuple[Verdict, bool]]]) -> None:
    every = [each for of_fault in outcomes.values() for each in of_fault]
    for name, of_fault in {**outcomes, "all": every}.items():
        pauses = sorted(verdict.pause_s for verdict, _ in of_fault)
        if pauses:
            print(
                f"{name}: {len(of_fault)} rounds, {sum(right for _, right in of_fault)} right,"
                f" {sum(verdict.acknowledged for verdict, _ in of_fault)} acknowledged writes,"
                f" {sum(verdict.lost for verdict, _ in of_fault)} lost; without a write: p50"
                f" {_quantile(pauses, 0.5):.1f} s, p99 {_quantile(pauses, 0.99):.1f} s,"
                f" longest {pauses[-1]:.1f} s",
                flush=True,
            )


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[math.ceil(part * len(ordered)) - 1]


@contextmanager
def _open_cluster(options: argparse.Namespace) -> Iterator[Cluster]:
    """Start PostgreSQL and the nodes, and create what the clients write to."""
    with ExitStack() as stack:
        network = None if options.on_this_machine else Network()
        if network is not None:
            stack.callback(network.close)
        places = network or ThisMachine()
        clocks = _clocks(stack, options)
        servers = ReplicatedServers(
            [places.add(f"sql-{number}") for number in range(_SERVERS)],
            clocks["postgresql"].environment if clocks else {},
            is_synchronous=not options.losing,
        )
        stack.callback(servers.close)
        settings = {
            "NALANDA_API_KEYS": KEY,
            "NALANDA_LEASE_S": str(options.lease_s),
            "NALANDA_REQUIRE_SYNCHRONOUS": str(not options.losing).lower(),
            **(SUSPENDED if options.suspended else {}),
        }
        nodes = []
        for name in _node_names(options):
            clock = clocks[name].environment if clocks else {}
            node = Node(options.folder / name, servers.url, places.add(name), **settings, **clock)
            stack.callback(node.kill)
            node.start()
            nodes.append(node)
        until(nodes[0].leads, RECOVERED_S)
        prepare(nodes[0].url)
        if options.without_fence:
            with servers.primary.connect(DATABASE) as connection:
                connection.execute(WITHOUT_FENCE)
        yield Cluster(servers, nodes, options.lease_s, network, clocks)


def _clocks(stack: ExitStack, options: argparse.Namespace) -> Mapping[str, WallClock] | None:
    """Return a clock for each node and for PostgreSQL, if any fault needs them."""
    if OF_CLOCKS.keys().isdisjoint(options.fault):
        return None
    folder = Path(tempfile.mkdtemp(prefix="nalanda-clocks-"))
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)  # PostgreSQL's user reads it
    library = build_library(folder)
    return {
        name: WallClock(folder / name, library) for name in ("postgresql", *_node_names(options))
    }


def _node_names(options: argparse.Namespace) -> Sequence[str]:
    return [f"n{number}" for number in range(options.nodes)]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    parser.add_argument("folder", type=Path, help="for the histories; it must not exist")
    parser.add_argument("--rounds", type=int, help="of all faults in turn; one of each by default")
    parser.add_argument("--fault", nargs="+", metavar="FAULT", help="all by default")
    parser.add_argument("--consistency", type=consistencies, default="strong,session,eventual")
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--lease-s", type=float, default=3.0)
    parser.add_argument("--on-this-machine", action="store_true")
    parser.add_argument("--losing", action="store_true")
    parser.add_argument("--suspended", action="store_true", help="paused nodes do not notice it")
    parser.add_argument("--without-fence", action="store_true")
    options = parser.parse_args()
    if options.losing:
        options.faults = LOSING
    elif options.on_this_machine:
        options.faults = {**ANYWHERE, **OF_CLOCKS}
    else:
        options.faults = {**ANYWHERE, **IN_A_NETWORK, **OF_CLOCKS}
    options.fault = options.fault or list(options.faults)
    options.rounds = options.rounds or len(options.fault)
    if unknown := set(options.fault) - set(options.faults):
        choices = ", ".join(options.faults)
        parser.error(f"There is no fault {', '.join(unknown)} here. The faults are: {choices}.")
    if not options.on_this_machine and os.geteuid() != 0:
        parser.error("Network namespaces need root. Run it as root, or with --on-this-machine.")
    if not OF_CLOCKS.keys().isdisjoint(options.fault) and shutil.which("cc") is None:
        parser.error("The faults of clocks need a C compiler, `cc`. Install it, or choose others.")
    if missing := missing_for_root():
        parser.error(missing)
    if options.folder.exists():
        parser.error(f"{options.folder} exists.")
    options.folder = options.folder.resolve()
    options.folder.mkdir(parents=True)
    return options


if __name__ == "__main__":
    sys.exit(main())
