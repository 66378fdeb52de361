"""A change from its begin to its end, and back."""

import pytest

from core.domain.document import ChunkDraft
from core.domain.errors import Conflict, Invalid, NotFound, ProviderUnavailable
from core.domain.library import LibraryDraft
from core.domain.model_change import ModelChange, ModelChangeState
from core.services.model_changes.prepared import PreparedEmbeddings
from core.services.model_changes.staging import Staging
from tests.unit.core.services.model_changes.case import Case
from tests.unit.core.services.model_changes.conftest import TEXTS

State = ModelChangeState


def test_a_change_moves_all_chunks_to_the_new_model(case: Case) -> None:
    before = {id_: case.chunks.get("lib", id_).value for id_ in TEXTS}
    change = case.move()
    assert (change.state, change.staged, change.total) == (State.SWITCHED, 10, 10)
    assert change.revertable
    assert (case.library.embedding_model, case.library.dimension) == ("new", case.new.dimension)
    assert [case.best(text) for text in TEXTS] == [(text, 1.0) for text in TEXTS]
    assert {id_: case.chunks.get("lib", id_).value for id_ in TEXTS} == before


def test_the_states_come_in_order(case: Case) -> None:
    case.begin()
    seen = [case.change.state]
    after = ""
    while case.change.state.in_progress:
        after = case.step(after)
        if case.change.state is not seen[-1]:
            seen.append(case.change.state)
    assert seen == [State.STAGING, State.COMPARING, State.SWITCHING, State.SWITCHED]


def test_progress_is_counted(case: Case) -> None:
    case.begin()
    assert case.step() == "03"
    assert (case.change.staged, case.change.total) == (4, 10)
    assert case.step("03") == "07"
    assert case.change.staged == 8


def test_staging_goes_on_where_it_was(case: Case) -> None:
    """A worker that was killed begins from the start, and embeds nothing twice."""
    embedded: list[str] = []
    case.new.before = embedded.extend
    case.begin()
    case.step()
    case.run(until=[State.COMPARING])
    assert sorted(embedded) == [f"text {text}" for text in TEXTS]


def test_both_models_are_compared(case: Case) -> None:
    compared = case.move().comparison
    assert compared is not None
    assert (compared.rows, compared.queries) == (10, 10)
    assert compared.old.recall_at_10 == compared.new.recall_at_10 == 1.0
    assert compared.old.ndcg_at_10 == compared.new.ndcg_at_10 == 1.0
    assert compared.overlap_at_10 == 1.0  # ten chunks, so that all are among the first ten


@pytest.mark.parametrize("state", [State.STAGING, State.COMPARING, State.SWITCHING])
def test_what_is_written_meanwhile_moves_as_well(case: Case, state: State) -> None:
    case.begin()
    case.run(until=[state])
    case.chunks.put("lib", "01", "doc", ChunkDraft("text changed"))
    case.write("00a", "99")
    case.chunks.delete("lib", "02")
    assert case.best("changed") == ("01", 1.0)
    case.run()
    assert case.best("changed") == ("01", 1.0)
    assert [case.best(text) for text in ("00a", "99", "05")] == [
        ("00a", 1.0),
        ("99", 1.0),
        ("05", 1.0),
    ]
    assert case.catalog.library("lib").vectors == 11


def test_what_is_written_after_the_embeddings_were_read_moves_as_well(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = Staging.prepare

    def write_after(self: Staging, change: ModelChange, first_written: int) -> PreparedEmbeddings:
        prepared = prepare(self, change, first_written)
        case.chunks.put("lib", "01", "doc", ChunkDraft("text changed"))
        case.write("99")
        case.chunks.delete("lib", "02")
        return prepared

    with monkeypatch.context() as patched:
        patched.setattr(Staging, "prepare", write_after)
        assert case.move().state is State.SWITCHED
    best = [case.best(text) for text in ("changed", "99", "05")]
    assert best == [("01", 1.0), ("99", 1.0), ("05", 1.0)]
    assert case.staged("old") >= case.catalog.library("lib").vectors == 10
    case.begin_revert()
    assert case.run().state is State.REVERTED
    assert [case.best(text) for text in ("changed", "99", "05")] == best


def test_a_revert_brings_the_old_embeddings_back(case: Case) -> None:
    own = ChunkDraft("text own", embedding=case.old.vector("something else"))
    case.chunks.put("lib", "own", "doc", own)
    case.move()
    case.write("99")
    case.chunks.put("lib", "01", "doc", ChunkDraft("text changed"))
    case.chunks.delete("lib", "02")
    case.begin_revert()
    change = case.run()
    assert change.state is State.REVERTED
    assert not change.revertable
    assert (case.library.embedding_model, case.library.dimension) == ("old", 16)
    assert case.best("99") == ("99", 1.0)
    assert case.best("changed") == ("01", 1.0)
    assert case.chunks.embeddings("lib", ["own"])["own"].tolist() == own.embedding.tolist()  # type: ignore[union-attr]
    assert (case.staged("old"), case.staged("new")) == (0, 0)


def test_only_the_old_embeddings_are_kept(case: Case) -> None:
    case.move()
    assert (case.staged("old"), case.staged("new")) == (10, 0)


def test_a_change_can_follow_another(case: Case) -> None:
    case.move()
    change = case.move("wide")
    assert (change.old_model, change.new_model) == ("new", "wide")
    assert case.best("05") == ("05", 1.0)
    assert (case.staged("old"), case.staged("new"), case.staged("wide")) == (0, 10, 0)


def test_an_empty_library_changes_too() -> None:
    case = Case()
    change = case.move()
    assert (change.state, change.comparison) == (State.SWITCHED, None)
    case.write("01")
    assert case.best("01") == ("01", 1.0)


def test_a_failing_provider_loses_nothing(case: Case) -> None:
    case.begin()
    case.step()
    case.new.failing = lambda: True
    with pytest.raises(ProviderUnavailable):
        case.step("03")
    assert (case.change.state, case.change.staged) == (State.STAGING, 4)
    case.new.failing = lambda: False
    assert case.run().state is State.SWITCHED


def test_a_chunk_without_text_ends_the_change(case: Case) -> None:
    blank = ChunkDraft(" ", embedding=case.old.vector("blank"))
    case.chunks.put("lib", "55", "doc", blank)
    case.begin()
    change = case.run()
    assert change.state is State.FAILED
    assert change.error is not None
    assert "'55' has no text to embed" in change.error
    assert case.library.embedding_model == "old"
    assert case.staged("new") == 0
    case.chunks.delete("lib", "55")
    assert case.move().state is State.SWITCHED


def test_a_revert_that_fails_leaves_the_new_model(case: Case) -> None:
    case.move()
    case.chunks.put("lib", "55", "doc", ChunkDraft(" ", embedding=case.new.vector("blank")))
    case.begin_revert()
    change = case.run()
    assert (change.state, change.revertable) == (State.SWITCHED, True)
    assert change.error is not None
    assert case.library.embedding_model == "new"
    assert case.staged("old") == 10


def test_what_can_t_be_begun(case: Case) -> None:
    with pytest.raises(Invalid, match="no model 'x'; it has new, old, wide") as unknown:
        case.changes.check("lib", "x")
    assert unknown.value.faults[0].pointer == "/model"
    with pytest.raises(Conflict, match="has the model 'old' already"):
        case.changes.check("lib", "old")
    with pytest.raises(NotFound):
        case.changes.check("nothing", "new")
    with pytest.raises(Conflict, match="no change of the library's model to revert"):
        case.changes.check_revertable("lib")
    case.libraries.put("bare", LibraryDraft("bare", dimension=16))
    with pytest.raises(Invalid, match="no embedding model"):
        case.changes.check("bare", "new")


def test_a_model_that_the_server_lost_can_t_be_reverted_to(case: Case) -> None:
    case.move()
    del case.embedders["old"]
    with pytest.raises(Conflict, match="no model 'old'"):
        case.changes.check_revertable("lib")


def test_a_step_of_another_change_is_refused(case: Case) -> None:
    with pytest.raises(Conflict):
        case.steps.advance("lib", model="new", state=State.STAGING)
    case.begin()
    with pytest.raises(Conflict):
        case.steps.advance("lib", model="wide", state=State.STAGING)
    done = case.steps.advance("lib", model="new", state=State.SWITCHING).value.change
    assert done.state is State.STAGING


def test_a_library_deleted_meanwhile_ends_the_steps(case: Case) -> None:
    case.begin()

    def delete(_: object) -> None:
        case.libraries.delete("lib")

    case.new.before = delete
    with pytest.raises(NotFound):
        case.step()


def test_a_patch_of_the_library_meanwhile_is_kept(case: Case) -> None:
    case.begin()
    case.run(until=[State.SWITCHING])
    case.libraries.put("lib", LibraryDraft("other name", description="told"))
    case.run()
    assert (case.library.name, case.library.description) == ("other name", "told")
    assert case.library.embedding_model == "new"


def test_a_library_whose_model_was_set_otherwise_does_not_switch(case: Case) -> None:
    case.begin()
    case.run(until=[State.SWITCHING])
    case.chunks.delete_many("lib", ids=TEXTS)
    case.libraries.put("lib", LibraryDraft("books", embedding_model="wide"))
    with pytest.raises(Conflict, match="'wide' meanwhile"):
        case.run()
