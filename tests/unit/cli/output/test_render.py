"""Display of questions, on a terminal and elsewhere."""

from collections.abc import Iterator
from datetime import datetime
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from cli.output import render
from cli.output.terminal import harmless, one_line
from nalanda import Citation, QueryResult, QueryState


def citation(start: int, end: int, chunk_id: str) -> Citation:
    return Citation(
        start=start,
        end=end,
        chunk_id=chunk_id,
        document_id="d",
        quote="q",
        quote_start=0,
        quote_end=1,
    )


def state(*statuses: str, attempt: int = 1) -> QueryState:
    times = {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00.120Z"}
    stages = [
        {"name": name, "status": status, "attempt": attempt, **times}
        for name, status in zip(("embed", "retrieve"), statuses, strict=True)
    ]
    return QueryState.model_validate({"workflow_id": "q", "status": "running", "stages": stages})


def states() -> Iterator[QueryState]:
    yield state("running", "pending")
    yield state("completed", "running", attempt=2)
    yield state("completed", "failed")


def test_one_source_cited_twice_has_one_number() -> None:
    citations = [citation(0, 1, "a"), citation(2, 3, "b"), citation(4, 5, "a")]
    assert render.source_numbers(citations) == {"a": 1, "b": 2}
    assert render.mark_citations("x y z", citations) == "x [1] y [2] z [1]"


def test_two_sources_of_one_part() -> None:
    citations = [citation(0, 1, "a"), citation(0, 1, "b")]
    assert render.mark_citations("x.", citations) == "x [1] [2]."


@given(
    st.text("xyz ", max_size=30),
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("abc")), max_size=8),
)
def test_without_its_marks_the_text_is_the_text(text: str, ends: list[tuple[int, str]]) -> None:
    citations = [citation(0, min(end, len(text)), chunk_id) for end, chunk_id in ends]
    marked = render.mark_citations(text, citations)
    for number in render.source_numbers(citations).values():
        assert f"[{number}]" in marked
        marked = marked.replace(f" [{number}]", "")
    assert marked == text


def test_away_from_a_terminal_each_stage_has_its_line() -> None:
    out = StringIO()
    console = Console(file=out)
    assert render.follow(console, states()).stages[1].status == "failed"
    assert out.getvalue() == "✓ embed 120 ms\n✗ retrieve\n"


@pytest.mark.parametrize("term", ["dumb", "unknown", "", None])
def test_on_a_dumb_terminal_each_stage_has_its_line(
    term: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=80)
    render.follow(console, states())
    assert out.getvalue() == "✓ embed 120 ms\n✗ retrieve\n"


def test_on_a_terminal_one_line_is_written_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=80)
    render.follow(console, states())
    shown = out.getvalue()
    assert "… embed" in shown
    assert "✓ embed 120 ms   … retrieve (attempt 2)" in shown
    assert shown.endswith("✓ embed 120 ms   ✗ retrieve\n")


def test_on_a_terminal_the_end_of_the_draft_is_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out = StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=80, height=8)
    draft = "first\nsecond\x1b[2J\nthird"
    render.follow(console, states(), lambda: draft)
    shown = out.getvalue()
    assert "second\N{REPLACEMENT CHARACTER}[2J" in shown
    assert "third" in shown
    assert "first" not in shown
    assert shown.endswith("✓ embed 120 ms   ✗ retrieve\n")


def test_a_source_without_an_origin_is_named_by_its_id() -> None:
    result = QueryState.model_validate(
        {
            "workflow_id": "q",
            "status": "completed",
            "result": {
                "answer": "x",
                "position": 1,
                "citations": [citation(0, 1, "a"), citation(0, 1, "b")],
            },
        }
    ).result
    assert result is not None
    shown = render.answer(result, {"a": Text("Homer")}).plain
    assert shown.splitlines()[2:] == ["[1] Homer", "    “q”", "[2] b", "    “q”"]


def test_text_of_strangers_steers_nothing() -> None:
    assert harmless("a\x1b]0;x\x07\tb\nc\x9b") == "a\ufffd]0;x\ufffd\tb\nc\ufffd"
    assert one_line("a\r\n b\x00", max_chars=9) == "a b\ufffd"
    assert one_line("abcdef", max_chars=4) == "abc…"


def stuck(**stage: object) -> QueryState:
    stages = [{"name": "rerank", "status": "running", "attempt": 3, **stage}]
    body = {"workflow_id": "q", "status": "running", "stages": stages, "waiting_for": "worker"}
    return QueryState.model_validate(body)


def test_what_keeps_a_question_is_shown_once() -> None:
    out = StringIO()
    state_ = stuck(last_failure="Cohere is not\navailable (503).")
    render.follow(Console(file=out, width=200), iter([state_, state_]))
    assert out.getvalue() == (
        "rerank, attempt 3: Cohere is not available (503).\n"
        "Waiting for a worker: start one with `nalanda worker`.\n"
    )


def test_the_next_attempt_has_its_time() -> None:
    at = datetime(2026, 1, 1, 12, 0, 7).astimezone()
    [line, _] = render.obstacles(stuck(last_failure="Busy.", next_attempt_at=at))
    assert line.plain == "rerank, attempt 3: Busy. Next attempt at 12:00:07."


def test_nothing_keeps_a_question_that_is_over() -> None:
    over = stuck(last_failure="Busy.").model_copy(update={"status": "cancelled"})
    assert render.obstacles(over) == []


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("nothing_relevant", "Nothing relevant was found in the library."),
        ("deadline", "The deadline passed before there was an answer."),
        ("not_asked", "No answer was asked for."),
        (None, ""),
        ("of a later release", ""),
    ],
)
def test_without_an_answer_its_reason_is_shown(reason: str | None, shown: str) -> None:
    assert render.answer(QueryResult(position=1, reason=reason), {}).plain == shown


def test_a_degraded_answer_says_why() -> None:
    result = QueryResult(
        answer="So.", position=1, degraded=["rerank"], degraded_because={"rerank": "No\nkey."}
    )
    assert render.answer(result, {}).plain == "So.\nDegraded: rerank\n    rerank: No key."
