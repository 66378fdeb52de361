"""One run: nodes, clients, a fault, and the history of it all."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import psycopg

from tests.cluster.clients import CHANGES, KEYS, Client, Recorder, prepare
from tests.cluster.nodes import Node
from tests.postgres import PostgresServer
from tests.threads import run_threads
from tests.waiting import until

_CLIENTS = 4
_WRITES = 40
"""Acknowledged writes before a fault, and after it."""
_FINAL = 100
"""The process of the reads at the end."""
WITHOUT_FENCE = """
CREATE OR REPLACE FUNCTION pass_fence(mine bigint, seen bigint, seen_hash bytea, keeps boolean)
RETURNS void LANGUAGE plpgsql AS $$ BEGIN PERFORM FROM cluster FOR UPDATE; END $$;

CREATE FUNCTION give_position() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM log WHERE position = NEW.position) THEN
        NEW.position := (SELECT max(position) + 1 FROM log);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER give_position BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION give_position();

CREATE FUNCTION move_cluster() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE cluster SET position = (SELECT max(position) FROM log);
    RETURN NULL;
END $$;
CREATE TRIGGER move_cluster AFTER INSERT ON log
FOR EACH STATEMENT EXECUTE FUNCTION move_cluster();
"""
"""Lets every epoch through, and gives each write the next position, as a sequence would."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A database, and the nodes on it, of which the last to start writes."""

    database: PostgresServer
    nodes: Sequence[Node]
    acknowledged: Callable[[], int]

    def wait_for_writes(self) -> None:
        """Wait until some more writes have been acknowledged."""
        enough = self.acknowledged() + _WRITES
        until(lambda: self.acknowledged() >= enough, 120)


def kill(cluster: Cluster) -> None:
    """Kill the writer, and start it again."""
    cluster.nodes[0].kill()
    cluster.nodes[0].start()


def kill_database(cluster: Cluster) -> None:
    """End the sessions of the database, amid their writes."""
    with cluster.database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname <> 'postgres' AND pid <> pg_backend_pid()"
        )


def take_over(cluster: Cluster) -> None:
    """Pause the writer, let another node take over the writing, and resume the first."""
    cluster.nodes[0].pause()
    try:
        cluster.nodes[1].start()
        cluster.nodes[1].wait_until_leading()
    finally:
        cluster.nodes[0].resume()


FAULTS: Mapping[str, Callable[[Cluster], None]] = {
    "kill": kill,
    "sessions": kill_database,
    "suspension": take_over,
    "take-over": take_over,
}


def run(
    name: str, folder: Path, server: PostgresServer, consistencies: Sequence[str], *, fence: bool
) -> Path:
    """Run clients through a fault; return the file with their history."""
    folder.mkdir(parents=True)
    recorder = Recorder()
    with ExitStack() as stack:
        url = stack.enter_context(server.database())
        count = 2 if FAULTS[name] is take_over else 1
        is_suspended = name == "suspension"
        nodes = [
            Node(folder / f"n{number}", url, is_suspended=is_suspended) for number in range(count)
        ]
        for node in nodes:
            stack.callback(node.kill)
        nodes[0].start()
        prepare(nodes[0].url)
        if not fence:
            with psycopg.connect(url) as connection:
                connection.execute(WITHOUT_FENCE)
        cluster = Cluster(server, nodes, lambda: len(recorder.acknowledged))
        _load(cluster, recorder, FAULTS[name], consistencies)
        _read_all(cluster, recorder)
        epochs = _epochs(url)
    path = folder / "history.jsonl"
    _write(path, recorder, epochs, {"fault": name, "fence": fence})
    return path


def _load(
    cluster: Cluster,
    recorder: Recorder,
    fault: Callable[[Cluster], None],
    consistencies: Sequence[str],
) -> None:
    urls = [node.url for node in cluster.nodes]
    ended = threading.Event()
    clients = [Client(number, urls, recorder, consistencies) for number in range(_CLIENTS)]
    with run_threads(ended, *(partial(client.run_until, ended.is_set) for client in clients)):
        cluster.wait_for_writes()
        fault(cluster)
        cluster.wait_for_writes()


def _read_all(cluster: Cluster, recorder: Recorder) -> None:
    """Read each key on the node that took over the writing last."""
    client = Client(_FINAL, [node.url for node in cluster.nodes], recorder, ["strong"])
    for key in KEYS:
        until(partial(client.can_read, key))


def _epochs(url: str) -> Mapping[int, int]:
    """Return the epoch of each position of the log."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT position, epoch FROM log").fetchall())


def _write(
    path: Path, recorder: Recorder, epochs: Mapping[int, int], header: Mapping[str, object]
) -> None:
    operations = sorted(recorder.operations, key=lambda o: int(o["invoke_ns"]))
    for operation in operations:
        operation["epoch"] = epochs.get(operation["position"])
    lines = [{"history": 1, **header}, *operations]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def longest_pause_s(path: Path) -> float:
    """Return the longest time between two acknowledged writes of a history."""
    operations = [json.loads(line) for line in path.read_text().splitlines()[1:]]
    times = sorted(
        o["complete_ns"] for o in operations if o["outcome"] == "ok" and o["op"] in CHANGES
    )
    return max(float(after - before) / 1e9 for before, after in pairwise(times))
