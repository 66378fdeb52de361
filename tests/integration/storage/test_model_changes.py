"""Model changes on real stores and indexes: concurrent calls, restarts, checkpoints, backups."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from core.adapters.registry import engine_of
from core.backup.backup_run import back_up
from core.backup.restore import restore
from core.bootstrap import Core, open_core, open_reader, publish_positions
from core.domain.document import ChunkDraft, DocumentDraft
from core.domain.library import LibraryDraft
from core.domain.model_change import ModelChange, ModelChangeState
from core.services.search.request import SearchRequest
from core.settings import Settings
from core.verification import index, record
from tests.two_models import SpacedEmbedder
from tests.waiting import BUILT_S, until

COUNT = 600
"""Chunks: more than a step stages, and more than one segment has here."""

State = ModelChangeState


@pytest.fixture(autouse=True)
def _two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    models = [SpacedEmbedder("old", 24), SpacedEmbedder("new", 24), SpacedEmbedder("wide", 40)]
    found = {model.model: model for model in models}
    monkeypatch.setattr("core.providers.registry.embedders", lambda _settings: found)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 128)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 128)


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    postgres = request.param == "postgres"
    url = request.getfixturevalue("postgres_url") if postgres else None
    values = {"data_dir": tmp_path / "data", "provider": "local", "database_url": url}
    (tmp_path / "data").mkdir()
    return Settings.model_validate(values)


@pytest.fixture
def core(settings: Settings) -> Iterator[Core]:
    with open_core(settings) as core:
        fill(core)
        yield core


def fill(core: Core, count: int = COUNT) -> None:
    core.libraries.put("lib", LibraryDraft("books", embedding_model="old"))
    core.documents.put("lib", "doc", DocumentDraft())
    core.chunks.add("lib", "doc", [draft(number) for number in range(count)])


def draft(number: int) -> ChunkDraft:
    return ChunkDraft(f"text {number}", id=f"c{number:05}")


def begin(core: Core, model: str) -> None:
    core.model_changes.begin(core.model_changes.check("lib", model), model, "workflow")


def begin_revert(core: Core) -> None:
    core.model_changes.begin_revert(core.model_changes.check_revertable("lib")[1], "workflow")


def change_of(core: Core) -> ModelChange:
    change = core.model_changes.get("lib").value[1]
    assert change is not None
    return change


def run(core: Core, until: State | None = None) -> State:
    """Do the steps of the change, up to a state, else to its end."""
    after = ""
    while (change := change_of(core)).state.in_progress and change.state is not until:
        model = change.target_model
        step = core.model_change_steps.advance("lib", model=model, state=change.state, after=after)
        after = step.value.after
    return change.state


def check_answer(core: Core, number: int) -> None:
    """Check that a search for a text finds its chunk, with the score of an unmixed answer."""
    (hit, *_) = core.search.search(SearchRequest("lib", text=f"text {number}", k=3)).hits
    assert (hit.chunk.id, round(hit.score, 4)) == (f"c{number:05}", 1.0)


def check(core: Core) -> None:
    """Check the record, and the index against it."""
    with core.store.read() as snapshot:
        assert list(record.problems(snapshot)) == []
        assert list(index.problems(snapshot, core.catalog, full=True)) == []


class Callers:
    """Threads that call until `stop`, which raises what they met."""

    def __init__(self, *calls: Callable[[int], None]) -> None:
        self._ended = threading.Event()
        self._errors: list[BaseException] = []
        self.counts = [0] * len(calls)
        self._threads = [
            threading.Thread(target=self._run, args=(number, call))
            for number, call in enumerate(calls)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _run(self, number: int, call: Callable[[int], None]) -> None:
        try:
            while not self._ended.is_set():
                call(self.counts[number])
                self.counts[number] += 1
        except BaseException as error:  # noqa: BLE001  # raised by `stop`
            self._errors.append(error)


@pytest.mark.parametrize("model", ["new", "wide"])
def test_no_call_fails_and_no_answer_is_mixed(core: Core, model: str) -> None:
    random = Random(3)

    def search(_: int) -> None:
        check_answer(core, random.randrange(COUNT))

    def write(number: int) -> None:
        core.chunks.put("lib", f"w{number:05}", "doc", ChunkDraft(f"written {number}"))

    def rewrite(number: int) -> None:
        core.chunks.add("lib", "doc", [ChunkDraft("more")])
        core.chunks.update("lib", f"c{number % COUNT:05}", lambda chunk: ChunkDraft(chunk.text))

    callers = Callers(search, search, write, rewrite)
    try:
        begin(core, model)
        changed = run(core)
        begin_revert(core)
        reverted = run(core)
    finally:
        callers.stop()
    assert (changed, reverted) == (State.SWITCHED, State.REVERTED)
    assert min(callers.counts) > 0
    assert core.libraries.get("lib").value.embedding_model == "old"
    check(core)
    for number in range(0, COUNT, 50):
        check_answer(core, number)


@pytest.mark.parametrize("checkpoints", [False, True], ids=["log", "checkpoint"])
@pytest.mark.parametrize("model", ["new", "wide"])
def test_a_restart_in_each_state_goes_on(settings: Settings, model: str, checkpoints: bool) -> None:
    with open_core(settings) as core:
        fill(core)
        core.builder.wait_until_idle(BUILT_S)
        core.checkpoints.make()
        begin(core, model)
    for state in (State.COMPARING, State.SWITCHING, State.SWITCHED):
        with open_core(settings) as core:
            check(core)
            assert run(core, until=state) is state
            check_answer(core, 7)
            if checkpoints:
                core.checkpoints.make()
    for _ in range(2):
        with open_core(settings) as core:
            assert core.libraries.get("lib").value.embedding_model == model
            check(core)
            check_answer(core, 7)
            core.builder.wait_until_idle(BUILT_S)
            check(core)
            check_answer(core, 7)
    with open_core(settings) as core:
        begin_revert(core)
    with open_core(settings) as core:
        assert run(core) is State.REVERTED
        check(core)
    with open_core(settings) as core:
        assert core.libraries.get("lib").value.embedding_model == "old"
        check(core)
        check_answer(core, 7)


def test_a_start_without_the_last_checkpoint_replays_the_switch(settings: Settings) -> None:
    """A crash after the switch: the segments on disk have the old embeddings."""
    with open_core(settings) as core:
        fill(core)
        core.builder.wait_until_idle(BUILT_S)
        core.checkpoints.make()
        begin(core, "new")
        run(core)
        core.checkpoints._thread.close()  # as if killed: no last checkpoint
    with open_core(settings) as core:
        check(core)
        check_answer(core, 7)


def test_words_are_found_as_before(core: Core) -> None:
    """Lexical indexes stay, because rows keep their ids."""
    before = core.search.search(SearchRequest("lib", text="7", mode="lexical"))
    begin(core, "wide")
    run(core)
    after = core.search.search(SearchRequest("lib", text="7", mode="lexical"))
    assert [hit.chunk for hit in after.hits] == [hit.chunk for hit in before.hits] != []


def test_backups_have_each_position_s_model(settings: Settings, tmp_path: Path) -> None:
    def engine_backup(core: Core) -> int:
        database = engine_of(settings).backup_database()
        back_up(database, tmp_path / "backups", lambda _done, _total: None)
        return core.store.position

    with open_core(settings) as core:
        fill(core, 60)
        first = engine_backup(core)
        begin(core, "wide")
        run(core)
        switched = core.store.position
        core.chunks.delete("lib", "c00003")
        engine_backup(core)
        begin_revert(core)
        run(core)
        last = engine_backup(core)
    for position, model, count in ((first, "old", 60), (switched, "wide", 60), (last, "old", 59)):
        target = tmp_path / f"restored-{position}"
        restore(tmp_path / "backups", target, lambda _done, _total: None, position=position)
        with open_core(Settings.model_validate({"data_dir": target, "provider": "local"})) as core:
            assert core.libraries.get("lib").value.embedding_model == model
            assert core.catalog.library("lib").vectors == count
            assert core.model_changes.get("lib").value[1] is None
            check(core)
            check_answer(core, 7)


@pytest.mark.parametrize("model", ["new", "wide"])
def test_a_reader_follows_a_change_and_its_revert(
    core: Core, settings: Settings, model: str
) -> None:
    publish_positions(core, settings)
    with open_reader(settings, 1) as reader:
        for reverts in (False, True):
            if reverts:
                begin_revert(core)
            else:
                begin(core, model)
            run(core)
            until(lambda: reader.catalog.position == core.catalog.position)
            names = {each.catalog.library("lib").library.embedding_model for each in (core, reader)}
            assert len(names) == 1
            for number in range(0, COUNT, 50):
                check_answer(reader, number)
            core.chunks.add("lib", "doc", [draft(COUNT + core.catalog.position)])
            until(lambda: reader.catalog.position == core.catalog.position)
            vectors = [each.catalog.library("lib").vectors for each in (core, reader)]
            assert vectors[0] == vectors[1]
