"""The driver: round after round, a server is started, checked, put under load and ended.

What a round leaves behind is checked at the start of the next one, with the server that has
found it.
"""

import pickle
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.crash.bulk import write_bulk
from tests.crash.checks import settle
from tests.crash.endings import Ending, How
from tests.crash.engines import Engine, Sqlite
from tests.crash.index_checks import check_index
from tests.crash.ledger import Ack, Ledger, Told, read
from tests.crash.model import SHARED, Write
from tests.crash.requests import library_body
from tests.crash.server import Clients, Server, ServerEnded
from tests.crash.tasks import NUMBERS, Assignment, Task

WRITERS = range(1, 7)
READERS = 2
_API_TIMEOUT_S = 60.0
_RECOVERY_S = 0.2
_REACHED_S = 2.0
_ASKED_AGAIN = 0.3

Engines = Callable[[Path], Engine]


class Broken(Exception):
    """Storage has not kept its word."""

    def __init__(self, round_: int, faults: Sequence[str], folder: Path) -> None:
        shown = "\n  ".join(faults[:20])
        super().__init__(
            f"round {round_}: {len(faults)} faults:\n  {shown}\nAll of it is kept in {folder}"
        )
        self.faults = faults


@dataclass(slots=True)
class Report:
    """`acknowledged`: writes; `survived`: writes that had no answer, and were there."""

    rounds: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    survived: int = 0
    unanswered: int = 0
    refused: int = 0
    reads: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        each = self.seconds / max(self.rounds, 1)
        endings = ", ".join(f"{count} {name}" for name, count in sorted(self.endings.items()))
        return (
            f"{self.rounds} rounds in {self.seconds:.0f} s, {each:.2f} s each: {endings}.\n"
            f"{self.acknowledged} writes acknowledged, none lost; {self.unanswered} without an "
            f"answer, {self.survived} of them there, whole; {self.refused} refused; "
            f"{self.reads} reads, each as the record was at its position."
        )


class Bench:
    """One data directory after the other, below a folder that is kept if something is wrong."""

    def __init__(self, folder: Path, seed: int, engines: Engines = Sqlite) -> None:
        self.report = Report()
        self.server = Server(folder / "server.log")
        self.ledger = Ledger()
        self._folder = folder
        self._seed = seed
        self._engines = engines
        self._engine: Engine | None = None
        self._round = 0
        self._told = Told()
        self._acks: dict[int, Ack] = {}
        self._pending: list[Write] = []
        self._api = httpx.Client(base_url=self.server.url, timeout=_API_TIMEOUT_S, verify=False)

    @property
    def data_dir(self) -> Path:
        return self._folder / "data"

    @property
    def engine(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def close(self) -> None:
        self.server.kill()
        if self._engine is not None:
            self._engine.stop()
        self._api.close()

    def renew(self, *, bulk: bool) -> None:
        """A new directory, with the libraries; `bulk`: one of them is large enough for segments."""
        if self._engine is not None:
            self._engine.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.data_dir.mkdir()
        self._engine = self._engines(self.data_dir)
        self._engine.start()
        self._start()
        for name in SHARED:
            self._api.put(f"/libraries/{name}", json=library_body(name)).raise_for_status()
        self.ledger = Ledger(position=len(SHARED))
        self._told, self._acks, self._pending = Told(), {}, []
        if bulk:
            write_bulk(self._api, self.ledger)
            self.ledger.turn_page(self.ledger.entries[-1].position)
        self.server.stop()

    def round(self, ending: Ending, rng: random.Random) -> None:
        """Raises: Broken."""
        began = time.monotonic()
        self._round += 1
        clients = Clients(self._folder / "clients.log")
        try:
            if self._begin(ending, rng):
                self._load(ending, clients, rng)
        finally:
            clients.kill()
        self.report.rounds += 1
        self.report.seconds += time.monotonic() - began

    def finish(self, rng: random.Random) -> None:
        """Checks what the last round has left, and stops. Raises: Broken."""
        self._start()
        self.check(rng)
        self.server.stop()

    def check(self, rng: random.Random) -> None:
        """The record against the ledger, and the index against the record. Raises: Broken."""
        record = self.engine.read(self.ledger.position)
        entries = len(self.ledger.entries)
        faults = settle(self.ledger, self._told, record)
        self._count(self._told, len(self.ledger.entries) - entries)
        self._acks |= {ack.write.writer: ack for ack in self._told.acks if ack.write.key}
        pending, self._told = self._told.pending, Told()
        faults += check_index(self._api, record, rng)
        if faults:
            (self._folder / "ledger.pickle").write_bytes(pickle.dumps(self.ledger))
            raise Broken(self._round, faults, self._folder)
        self._pending = pending

    def _begin(self, ending: Ending, rng: random.Random) -> bool:
        """Whether the server is there to be written to; it is not if it ended at its step."""
        if ending.first_killed_after_s is not None:
            self.server.start(self.data_dir, self.engine.environment)
            self.server.ended_within(ending.first_killed_after_s)
            self.server.kill()
        try:
            self._start(ending.fault)
            self.check(rng)
        except (ServerEnded, httpx.TransportError):
            if ending.fault is None or self.server.status != -9:
                raise
            self._reached(ending)
            return False
        return True

    def _start(self, fault: str | None = None) -> None:
        self.engine.start()
        self.server.start(self.data_dir, self.engine.environment, fault)
        self.server.wait_ready(self._api)

    def _load(self, ending: Ending, clients: Clients, rng: random.Random) -> None:
        task = self._task(ending, rng)
        clients.begin(task)
        if ending.how is not How.STEP:
            time.sleep(ending.after_s)
        self._end(ending, clients)
        clients.end()
        self._told = read(self._folder / "told.jsonl")

    def _end(self, ending: Ending, clients: Clients) -> None:
        match ending.how:
            case How.KILL:
                self.server.kill()
            case How.STOP:
                self.server.stop()
            case How.CLIENTS:
                clients.kill()
                self.server.ended_within(_RECOVERY_S)
                self.server.kill()
            case How.DATABASE:
                self.engine.kill()
                self.server.ended_within(_RECOVERY_S)
                self.server.kill()
            case How.STEP:
                if not self.server.ended_within(_REACHED_S):
                    self.server.stop()  # some steps are only then
                self._reached(ending)
        if ending.how is not How.STEP:
            self.report.endings[ending.how] += 1

    def _reached(self, ending: Ending) -> None:
        reached = self.server.status == -9
        self.report.endings[f"{ending.step}{'' if reached else ' (not reached)'}"] += 1

    def _task(self, ending: Ending, rng: random.Random) -> Path:
        ledger = self._folder / "told.jsonl"
        ledger.unlink(missing_ok=True)
        last = max((entry.write.number for entry in self.ledger.entries), default=0)
        last = max([last, *(write.number for write in self._pending)])
        keyed = {write.writer: write for write in self._pending if write.key is not None}
        task = Task(
            url=self.server.url,
            ledger=ledger,
            seed=rng.getrandbits(32),
            first_number=(last // NUMBERS + 1) * NUMBERS,
            writers={
                writer: Assignment(
                    self.ledger.namespace(writer),
                    keyed.get(writer),
                    self._acks.get(writer) if rng.random() < _ASKED_AGAIN else None,
                )
                for writer in WRITERS
            },
            readers=READERS,
            doubtful=ending.how is How.DATABASE,
        )
        path = self._folder / "task.pickle"
        path.write_bytes(pickle.dumps(task))
        return path

    def _count(self, told: Told, entered: int) -> None:
        self.report.acknowledged += len(told.acks)
        self.report.unanswered += len(told.pending)
        self.report.survived += max(entered - len(told.acks), 0)
        self.report.refused += len(told.refused)
        self.report.reads += len(told.seen)
