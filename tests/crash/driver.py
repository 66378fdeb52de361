"""The driver: round after round, a server is started, checked, put under load and ended.

What a round leaves behind is checked at the start of the next one, with the server that has
found it.
"""

import pickle
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.crash.bulk import write_bulk
from tests.crash.checks import forget_behind, settle
from tests.crash.damage import Damage, damage_one_of, damage_tail
from tests.crash.endings import Ending, How
from tests.crash.engines import Engine, Sqlite
from tests.crash.index_checks import check_index
from tests.crash.ledger import Ack, Ledger, Told, read
from tests.crash.model import SHARED, Write
from tests.crash.requests import library_body
from tests.crash.server import Clients, Server, ServerEnded
from tests.crash.soak import Levels, levels, sample
from tests.crash.tasks import NUMBERS, Assignment, Task

WRITERS: Iterable[int] = range(1, 7)
READERS = 2
_API_TIMEOUT_S = 60.0
_RECOVERY_S = 0.2
_REACHED_S = 2.0
_ASKED_AGAIN = 0.3

DERIVED = ("checkpoints/**/*",)
LOG = "nalanda.db-wal"
KILLED = -signal.SIGKILL


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
    damages: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    survived: int = 0
    unanswered: int = 0
    refused: int = 0
    reads: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        each = self.seconds / max(self.rounds, 1)
        return (
            f"{self.rounds} rounds in {self.seconds:.0f} s, {each:.2f} s each: "
            f"{_listed(self.endings)}. Damaged: {_listed(self.damages)}.\n"
            f"{self.acknowledged} writes acknowledged, none lost; {self.unanswered} without an "
            f"answer, {self.survived} of them there, whole; {self.refused} refused; "
            f"{self.reads} reads, each as the record was at its position."
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing"


class Bench:
    """One data directory after the other, below a folder that is kept if something is wrong."""

    def __init__(self, folder: Path, engines: Callable[[Path], Engine] = Sqlite) -> None:
        self.report = Report()
        self.server = Server(folder / "server.log")
        self.ledger = Ledger()
        self._folder = folder
        self._engines = engines
        self._engine: Engine | None = None
        self._round = 0
        self._told = Told()
        self._acks: dict[int, Ack] = {}
        self._pending: list[Write] = []
        self._damage: Damage | None = None
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

    def renew(self, *, bulk: bool = False, fault: str | None = None) -> bool:
        """A new directory, with the libraries; `bulk`: one of them is large enough for segments.

        Whether the process has ended at the step that `fault` names, while it made the database.
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
        self.ledger = Ledger(position=len(SHARED))
        self._told, self._acks, self._pending = Told(), {}, []
        if bulk:
            write_bulk(self._api, self.ledger)
            self.ledger.turn_page(self.ledger.entries[-1].position)
        self.server.stop()
        return reached

    def round(self, ending: Ending, rng: random.Random) -> bool:
        """Whether it has ended as it should: at its step, if it has one. Raises: Broken."""
        began = time.monotonic()
        self._round += 1
        clients = Clients(self._folder / "clients.log")
        try:
            if self._begin(ending, rng):
                self._load(ending, clients, rng)
        finally:
            clients.kill()
        reached = ending.how is not How.STEP or self.server.status == KILLED
        name = ending.step or ending.how
        self.report.endings[name if reached else f"{name} (not reached)"] += 1
        self.report.rounds += 1
        self.report.seconds += time.monotonic() - began
        return reached

    def finish(self, rng: random.Random) -> None:
        """Checks what the last round has left, and stops. Raises: Broken."""
        self._start()
        self.check(rng)
        self.server.stop()

    def soak(self, seconds: float, threads: int, rng: random.Random) -> Levels:
        """Two of three threads write, the others read. Raises: Broken."""
        clients = Clients(self._folder / "clients.log")
        readers = threads // 3
        self._start()
        self.check(rng)
        began, samples = time.monotonic(), []
        clients.begin(self._task(rng, range(1, 1 + threads - readers), readers))
        while time.monotonic() < began + seconds:
            if self.server.ended_within(1.0):
                raise Broken(0, [f"it ended: {self.server.said[-2000:]}"], self._folder)
            samples.append(sample(self.server.pid, began))
        clients.end()
        self._told = read(self._folder / "told.jsonl")
        self.check(rng)
        self.server.stop()
        found = levels(samples)
        if found.faults:
            raise Broken(0, [*found.faults, str(found)], self._folder)
        self.report.seconds += time.monotonic() - began
        return found

    def check(self, rng: random.Random) -> None:
        """The record against the ledger, and the index against the record. Raises: Broken."""
        record = self.engine.read(self.ledger.position)
        if self._damage is not None:
            self._allow_for(self._damage, record.position)
        entries = len(self.ledger.entries)
        faults = settle(self.ledger, self._told, record)
        self._count(self._told, len(self.ledger.entries) - entries)
        self._acks |= {ack.write.writer: ack for ack in self._told.acks if ack.write.key}
        pending, self._told = self._told.pending, Told()
        faults += check_index(self._api, record, rng)
        if faults:
            (self._folder / "ledger.pickle").write_bytes(pickle.dumps(self.ledger))
            raise Broken(self._round, faults, self._folder)
        self._pending, self._damage = pending, None

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
            if ending.fault is None or self.server.status != KILLED:
                raise
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
        self.engine.start()
        self.server.start(self.data_dir, self.engine.environment, fault)
        self.server.wait_ready(self._api)

    def _load(self, ending: Ending, clients: Clients, rng: random.Random) -> None:
        clients.begin(self._task(rng, doubtful=ending.how is How.DATABASE))
        if ending.how is not How.STEP:
            time.sleep(ending.after_s)
        self._end(ending, clients)
        clients.end()
        self._told = read(self._folder / "told.jsonl")
        if ending.damage:
            self._damage = self._damaged(rng)

    def _damaged(self, rng: random.Random) -> Damage | None:
        """The tail of SQLite's log, or one of the files that are made from the record."""
        derived = [path for pattern in DERIVED for path in self.data_dir.glob(pattern)]
        ways = [
            lambda: damage_tail(self.data_dir / LOG, rng),
            lambda: damage_one_of(derived, rng),
        ]
        rng.shuffle(ways)
        return ways[0]() or ways[1]()

    def _allow_for(self, damage: Damage, position: int) -> None:
        """What the log has lost is lost; a derived file is set aside, and the server says so."""
        if damage.path.name == LOG:
            self._told = forget_behind(self.ledger, self._told, position)
            self._acks.clear()
            self.report.damages["tails of the log"] += 1
            return
        readiness = self._api.get("/readyz").text
        told = any(damage.path.name in text for text in (self.server.said, readiness))
        said = "and said to be" if told else "without a word"
        self.report.damages[f"derived files, {said}"] += 1

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

    def _task(
        self,
        rng: random.Random,
        writers: Iterable[int] = WRITERS,
        readers: int = READERS,
        *,
        doubtful: bool = False,
    ) -> Path:
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
                for writer in writers
            },
            readers=readers,
            doubtful=doubtful,
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
