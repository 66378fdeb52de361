"""How questions look: their stages, and the answer with its numbered sources."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.terminal import can_overwrite, harmless, one_line
from nalanda import Citation, QueryResult, QueryState, StageState


def watched(console: Console, states: Iterable[QueryState]) -> QueryState:
    """Show each state as it comes, and answer with the last.

    On a terminal in one line that is written over; elsewhere a line for each stage that ends.
    """
    if not can_overwrite(console):
        return _listed(console, states)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        for state in states:
            live.update(stage_line(state), refresh=True)
    console.print(stage_line(state))
    return state


def _listed(console: Console, states: Iterable[QueryState]) -> QueryState:
    shown: set[str] = set()
    for state in states:
        for stage in _ended(state):
            if stage.name not in shown:
                shown.add(stage.name)
                console.print(stage_mark(stage))
    return state


def stage_line(state: QueryState) -> Text:
    """All stages in one line: those that are over with their time, and the one that runs."""
    return Text("   ").join(stage_mark(stage) for stage in state.stages)


def answer(result: QueryResult, origins: Mapping[str, Text]) -> Text:
    """The answer with the numbers of its sources, and below it each source with its quotes.

    `origins` says of each cited chunk, by id, where it comes from.
    """
    text = Text(harmless(marked(result.answer, result.citations)))
    if result.degraded:
        text.append(f"\nDegraded: {', '.join(result.degraded)}", style="yellow")
    for chunk_id, number in source_numbers(result.citations).items():
        text.append("\n\n" if number == 1 else "\n")
        text.append(f"[{number}] ", style="bold cyan")
        text.append(origins.get(chunk_id, Text(chunk_id)))
        for quote in _quotes(result.citations, chunk_id):
            text.append(f"\n    “{one_line(quote)}”", style="dim italic")
    return text


def source_numbers(citations: Sequence[Citation]) -> dict[str, int]:
    """Each cited chunk's number: 1 for the one that is cited first in the answer."""
    in_order = sorted(citations, key=lambda citation: (citation.end, citation.start))
    chunk_ids = dict.fromkeys(citation.chunk_id for citation in in_order)
    return {chunk_id: number for number, chunk_id in enumerate(chunk_ids, start=1)}


def marked(text: str, citations: Sequence[Citation]) -> str:
    """The text with `[number]` behind each part that rests on a source."""
    numbers = source_numbers(citations)
    marks = {(citation.end, numbers[citation.chunk_id]) for citation in citations}
    for end, number in sorted(marks, reverse=True):
        text = f"{text[:end]} [{number}]{text[end:]}"
    return text


def _quotes(citations: Sequence[Citation], chunk_id: str) -> list[str]:
    """What of the chunk is quoted, each quote once."""
    return list(dict.fromkeys(c.quote for c in citations if c.chunk_id == chunk_id))


def _ended(state: QueryState) -> list[StageState]:
    return [stage for stage in state.stages if stage.status not in {"pending", "running"}]


def stage_mark(stage: StageState) -> Text:
    """Return a stage with a sign of how it is, and its time once it is over."""
    match stage.status:
        case "completed":
            return Text.assemble(("✓ ", "green"), stage.name, (_took(stage), "dim"))
        case "running":
            return Text(f"… {stage.name}{_attempt(stage)}", style="bold")
        case "failed":
            return Text(f"✗ {stage.name}", style="red")
        case _:
            return Text(f"· {stage.name}", style="dim")


def _attempt(stage: StageState) -> str:
    return f" (attempt {stage.attempt})" if stage.attempt > 1 else ""


def _took(stage: StageState) -> str:
    if stage.started_at is None or stage.ended_at is None:
        return ""
    return f" {(stage.ended_at - stage.started_at).total_seconds() * 1000:.0f} ms"
