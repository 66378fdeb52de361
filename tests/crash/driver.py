"""The driver: each round starts a server, checks the record, puts it under load, and ends it.

The next round's server opens the database that the round leaves, and the driver checks both.
"""

import pickle
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import httpx

from tests.crash.bulk import write_bulk
from tests.crash.checks import forget_behind, settle
from tests.crash.damage import LOG, Damage, damage_somewhere
from tests.crash.endings import Ending, How
from tests.crash.engines import Engine, Sqlite
from tests.crash.index_checks import check_index
from tests.crash.ledger import Ack, ClientReports, Ledger, answers, read
from tests.crash.model import SHARED, Write
from tests.crash.report import Report
from tests.crash.requests import library_body
from tests.crash.server import Clients, Server, ServerEnded
from tests.crash.soak import Levels, levels, sample
from tests.crash.tasks import Assignment, Task
from tests.waiting import until

WRITERS: Iterable[int] = range(1, 7)
READERS = 2
KILLED = -signal.SIGKILL
SETTINGS = {"NALANDA_CHECKPOINT_BYTES": "8000"}
"""Settings for a checkpoint after some forty writes, and at each stop."""

_API_TIMEOUT_S = 60.0
_AFTER_ANOTHER_S = 0.2
"""Time for which the server runs on after the kill of the clients or the database."""
_LOAD_S = 20.0
"""Maximum duration of a load."""
_POLL_S = 0.005
_REACHED_S = 2.0
"""Time to wait for a step under load, before a stop may reach it."""
_ASKED_AGAIN = 0.3
"""Share of writers that begin with a retry of an answered write."""


class Broken(Exception):
    """A broken promise of the storage."""

    def __init__(self, round_: int, faults: Sequence[str], folder: Path) -> None:
        shown = "\n  ".join(faults[:20])
        super().__init__(
            f"round {round_}: {len(faults)} faults:\n  {shown}\nAll of it is kept in {folder}"
        )


class Bench:
    """A bench on one data directory after another; it keeps the folder if a check fails."""

    def __init__(self, folder: Path, engines: Callable[[Path], Engine] = Sqlite) -> None:
        self.report = Report()
        self.server = Server(folder / "server.log")
        self.data_dir = folder / "data"
        self._folder = folder
        self._ledger_file = folder / "acknowledged.jsonl"
        self._engines = engines
        self._engine: Engine | None = None
        # A connection each: an idle one might be closed by the server just as it is used again.
        self._api = httpx.Client(
            base_url=self.server.url,
            timeout=_API_TIMEOUT_S,
            verify=False,
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._forget()

    def _forget(self) -> None:
        """Discard the ledger of the previous directory."""
        self._ledger = Ledger(position=len(SHARED))
        self._reports = ClientReports()
        self._pending: list[Write] = []
        self._acks: dict[int, Ack] = {}
        self._damaged: Damage | None = None

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def close(self) -> None:
        self.server.kill()
        if self._engine is not None:
            self._engine.stop()
        self._api.close()

    def renew(self, *, bulk: bool = False, fault: str | None = None) -> bool:
        """Create a directory with the libraries; `bulk`: one of them is large enough for segments.

        Return whether the process ended at the step `fault` while creating the database.
        """
        if self._engine is not None:
            self._engine.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.data_dir.mkdir()
        self._engine = self._engines(self.data_dir)
        reached = fault is not None and not self._can_start(fault)
        if not self.server.runs:
            self._start()
        for name in SHARED:
            self._api.put(f"/libraries/{name}", json=library_body(name)).raise_for_status()
        self._forget()
        if bulk:
            write_bulk(self._api, self._ledger)
            self._ledger.turn_page(self._ledger.entries[-1].position)
        self.server.stop()
        return reached

    def round(self, ending: Ending, rng: random.Random) -> bool:
        """Run a round; return whether it ended as planned, at its step if it has one.

        Raises:
            Broken: a check failed.
        """
        began = time.monotonic()
        self.report.rounds += 1
        clients = Clients(self._folder / "clients.log")
        try:
            if self._begin(ending, rng):
                self._load(ending, clients, rng)
        finally:
            clients.kill()
        if ending.damage:
            self._damaged = damage_somewhere(self.data_dir, rng)
        reached = ending.how is not How.STEP or self.server.status == KILLED
        name = ending.step or ending.how
        self.report.endings[name if reached else f"{name} (not reached)"] += 1
        self.report.seconds += time.monotonic() - began
        return reached

    def finish(self, rng: random.Random) -> None:
        """Check the result of the last round, and stop.

        Raises:
            Broken: a check failed.
        """
        self._start()
        self._check(rng)
        self.server.stop()

    def soak(self, seconds: float, threads: int, rng: random.Random) -> Levels:
        """Run a long load; two of three threads write, the others read.

        Raises:
            Broken: a check failed.
        """
        readers = threads // 3
        began, samples = time.monotonic(), []

        def watch() -> None:
            loaded = time.monotonic()
            while time.monotonic() < loaded + seconds:
                if self.server.ended_within(1.0):
                    raise self._broken([f"it ended: {self.server.output[-2000:]}"])
                samples.append(sample(self.server.pid, loaded))

        self.run_with(watch, rng, range(1, 1 + threads - readers), readers)
        self.report.seconds += time.monotonic() - began
        report = levels(samples)
        if report.faults:
            raise self._broken([*report.faults, str(report)])
        return report

    def run_with(
        self,
        work: Callable[[], None],
        rng: random.Random,
        writers: Iterable[int] = WRITERS,
        readers: int = READERS,
    ) -> Ledger:
        """Do `work` while clients write and read; return the ledger afterwards.

        Raises:
            Broken: a check failed.
        """
        clients = Clients(self._folder / "clients.log")
        self._start()
        self._check(rng)
        clients.begin(self._task(rng, writers, readers))
        try:
            work()
        finally:
            clients.end()
        self._reports = read(self._ledger_file)
        self._check(rng)
        self.server.stop()
        return self._ledger

    def count_answers(self) -> int:
        """Return how many of the current writes have an answer."""
        return answers(self._ledger_file)

    def _begin(self, ending: Ending, rng: random.Random) -> bool:
        """Start the server; return False if it ended at its step."""
        if ending.first_killed_after_s is not None:
            self._launch()
            self.server.ended_within(ending.first_killed_after_s)
            self.server.kill()
        try:
            self._start(ending.fault)
            self._check(rng)
        except (ServerEnded, httpx.TransportError) as error:
            if ending.fault is None or self.server.status != KILLED:
                raise self._broken([f"it does not serve: {error}"]) from error
            return False
        return True

    def _can_start(self, fault: str) -> bool:
        try:
            self._start(fault)
        except ServerEnded:
            if self.server.status != KILLED:
                raise
            return False
        return True

    def _start(self, fault: str | None = None) -> None:
        self._launch(fault)
        self.server.wait_ready(self._api)

    def _launch(self, fault: str | None = None) -> None:
        self.engine.start()
        self.server.start(self.data_dir, {**SETTINGS, **self.engine.environment}, fault)

    def _check(self, rng: random.Random) -> None:
        """Compare the record with the ledger, and the index with the record.

        Raises:
            Broken: they differ.
        """
        record = self.engine.read(self._ledger.position)
        if self._damaged is not None:
            self._allow_for(self._damaged, record.position)
        until(lambda: "being rebuilt" not in self._checkpoints)
        entries = len(self._ledger.entries)
        faults = settle(self._ledger, self._reports, record)
        self.report.add(self._reports, len(self._ledger.entries) - entries)
        self._acks |= {ack.write.writer: ack for ack in self._reports.acks if ack.write.key}
        self._pending, self._reports, self._damaged = self._reports.pending, ClientReports(), None
        if faults := faults + check_index(self._api, record, rng):
            raise self._broken(faults)

    def _allow_for(self, damage: Damage, position: int) -> None:
        """Accept the loss of a damaged log's tail; require that the server reports a damaged
        derived file.
        """
        if damage.path.name == LOG:
            acknowledged = len(self._reports.acks)
            self._reports = forget_behind(self._ledger, self._reports, position)
            self._acks.clear()
            self.report.given_up += acknowledged - len(self._reports.acks)
            self.report.damages["tails of the log"] += 1
            return
        is_named = any(damage.path.name in text for text in (self.server.output, self._checkpoints))
        if damage.matters and not is_named:
            raise self._broken([f"silent: the server does not tell of {damage}"])
        self.report.damages[f"files of checkpoints, {'reports' if is_named else 'not read'}"] += 1

    @property
    def _checkpoints(self) -> str:
        """Return the server's report on its checkpoints."""
        return str(self._api.get("/readyz").json()["checks"]["checkpoints"])

    def _load(self, ending: Ending, clients: Clients, rng: random.Random) -> None:
        clients.begin(self._task(rng, doubtful=ending.how is How.DATABASE))
        deadline = time.monotonic() + _LOAD_S
        while answers(self._ledger_file) < ending.after_writes and time.monotonic() < deadline:
            if self.server.ended_within(_POLL_S):
                break
        self.server.ended_within(ending.after_s)
        self._end(ending, clients)
        clients.end()
        self._reports = read(self._ledger_file)

    def _end(self, ending: Ending, clients: Clients) -> None:
        match ending.how:
            case How.KILL:
                self.server.kill()
            case How.STOP:
                self.server.stop()
            case How.CLIENTS:
                clients.kill()
                self.server.ended_within(_AFTER_ANOTHER_S)
                self.server.kill()
            case How.DATABASE:
                self.engine.kill()
                self.server.ended_within(_AFTER_ANOTHER_S)
                self.server.kill()
            case How.STEP:
                if not self.server.ended_within(_REACHED_S):
                    self.server.stop()

    def _task(
        self,
        rng: random.Random,
        writers: Iterable[int] = WRITERS,
        readers: int = READERS,
        *,
        doubtful: bool = False,
    ) -> Path:
        self._ledger_file.unlink(missing_ok=True)
        keyed = {write.writer: write for write in self._pending if write.key is not None}
        task = Task(
            url=self.server.url,
            ledger=self._ledger_file,
            seed=rng.getrandbits(32),
            turn=self.report.rounds,
            writers={
                writer: Assignment(
                    self._ledger.namespace(writer),
                    keyed.get(writer),
                    self._acks.get(writer) if rng.random() < _ASKED_AGAIN else None,
                )
                for writer in writers
            },
            readers=readers,
            doubtful=doubtful,
        )
        path = self._folder / "task.pickle"
        path.write_bytes(pickle.dumps(task))
        return path

    def _broken(self, faults: Sequence[str]) -> Broken:
        (self._folder / "ledger.pickle").write_bytes(pickle.dumps(self._ledger))
        return Broken(self.report.rounds, faults, self._folder)
