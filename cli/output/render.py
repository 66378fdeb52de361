"""Display of questions: their stages, and answers with numbered sources."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.output.terminal import can_overwrite, harmless, one_line
from core.domain.place import context_of
from nalanda import Citation, CitedPlace, QueryResult, QueryState, StageState

WAITING_FOR_WORKER = "Waiting for a worker: start one with `nalanda worker`."


def follow(
    console: Console, states: Iterable[QueryState], draft: Callable[[], str] = str
) -> QueryState:
    """Show each state as it arrives, and return the last.

    A terminal shows one line that is overwritten, and below it the end of what `draft` returns, the
    answer that is being written; other outputs get a line per finished stage.
    """
    if not can_overwrite(console):
        return _print_stages(console, states)
    lines: list[Text] = []

    def frame() -> Text:
        return Text("\n").join((*lines, *_last_lines(console, draft())))

    with Live(get_renderable=frame, console=console, refresh_per_second=12, transient=True) as live:
        for state in states:
            lines[:] = stage_line(state), *obstacles(state)
            live.refresh()
    console.print(stage_line(state))
    return state


def _last_lines(console: Console, text: str) -> list[Text]:
    """Return the last lines of the text that fit on the terminal, below some others."""
    if not text:
        return []
    rows = max(console.height - 6, 1)
    return list(Text(harmless(text), "italic").wrap(console, console.width))[-rows:]


def _print_stages(console: Console, states: Iterable[QueryState]) -> QueryState:
    shown: set[str] = set()
    for state in states:
        for stage in _ended_stages(state):
            if stage.name not in shown:
                shown.add(stage.name)
                console.print(stage_mark(stage))
        for obstacle in obstacles(state):
            if obstacle.plain not in shown:
                shown.add(obstacle.plain)
                console.print(obstacle)
    return state


def stage_line(state: QueryState) -> Text:
    """Return all stages in one line, finished ones with their durations."""
    return Text("   ").join(stage_mark(stage) for stage in state.stages)


def obstacles(state: QueryState) -> list[Text]:
    """Return a line for each thing that keeps a running question from its next step."""
    if state.closed:
        return []
    lines = [
        f"{stage.name}, attempt {stage.attempt}: {_failure(words, stage.next_attempt_at)}"
        for stage in state.stages
        if (words := stage.last_failure) is not None
    ]
    if state.waiting_for == "worker":
        lines.append(WAITING_FOR_WORKER)
    if state.waiting_for == "review":
        lines.append(f"Waiting for a review: see `nalanda review {state.workflow_id}`.")
    return [Text(line, style="yellow") for line in lines]


def ingestion_obstacles(
    waiting_for: str | None, last_failure: str | None, next_attempt_at: datetime | None = None
) -> list[Text]:
    """Return a line for each thing that keeps a running ingestion from its next file."""
    lines = []
    if last_failure is not None:
        lines.append(f"Trying again after a failure: {_failure(last_failure, next_attempt_at)}")
    if waiting_for == "worker":
        lines.append(WAITING_FOR_WORKER)
    return [Text(line, style="yellow") for line in lines]


NO_ANSWER = {
    "nothing_relevant": "Nothing relevant was found in the library.",
    "deadline": "The deadline passed before there was an answer.",
    "not_asked": "No answer was asked for.",
}


def answer(result: QueryResult, origins: Mapping[str, Text]) -> Text:
    """Return the answer with numbered citations, or why there is none, and each source's quotes.

    `origins` maps the id of a cited chunk to its source, for citations without a place.
    """
    places = {citation.chunk_id: citation.place for citation in result.citations}
    words = result.answer or NO_ANSWER.get(result.reason or "", "")
    text = Text()
    if result.condensed_query is not None:
        text.append(f"Searched for: {one_line(result.condensed_query)}\n", style="dim")
    text.append(harmless(mark_citations(words, result.citations)))
    if result.degraded:
        text.append(f"\nDegraded: {', '.join(result.degraded)}", style="yellow")
    for code, why in result.degraded_because.items():
        text.append(f"\n    {code}: {one_line(why)}", style="yellow")
    for chunk_id, number in source_numbers(result.citations).items():
        text.append("\n\n" if number == 1 else "\n")
        text.append(f"[{number}] ", style="bold cyan")
        place = places[chunk_id]
        text.append(place_line(place) if place else origins.get(chunk_id, Text(chunk_id)))
        for quote in _quotes(result.citations, chunk_id):
            text.append(f"\n    “{one_line(quote)}”", style="dim italic")
    return text


def place_line(place: CitedPlace) -> Text:
    """Return `title › headings  source:line`, or with a page `…  source, page N`."""
    context = context_of(place.title, place.headings)
    source = place.source or ""
    if place.page is not None:
        where = ", ".join(filter(None, [source, f"page {place.page}"]))
    elif place.line is not None:
        where = f"{source}:{place.line}" if source else f"line {place.line}"
    else:
        where = source
    return named_source(context or "untitled document", where)


def named_source(name: str, where: str) -> Text:
    """Return the name of a source and where it is, which may be empty."""
    return Text.assemble((one_line(name), "bold"), (f"  {one_line(where)}" if where else "", "dim"))


def source_numbers(citations: Sequence[Citation]) -> dict[str, int]:
    """Return each cited chunk's number, 1 for the first citation in the answer."""
    in_order = sorted(citations, key=lambda citation: (citation.end, citation.start))
    chunk_ids = dict.fromkeys(citation.chunk_id for citation in in_order)
    return {chunk_id: number for number, chunk_id in enumerate(chunk_ids, start=1)}


def mark_citations(text: str, citations: Sequence[Citation]) -> str:
    """Return the text with `[number]` after each cited part."""
    numbers = source_numbers(citations)
    marks = {(citation.end, numbers[citation.chunk_id]) for citation in citations}
    for end, number in sorted(marks, reverse=True):
        text = f"{text[:end]} [{number}]{text[end:]}"
    return text


def _quotes(citations: Sequence[Citation], chunk_id: str) -> list[str]:
    """Return the distinct quotes of a chunk."""
    return list(dict.fromkeys(c.quote for c in citations if c.chunk_id == chunk_id))


def _ended_stages(state: QueryState) -> list[StageState]:
    return [stage for stage in state.stages if stage.status not in {"pending", "running"}]


def stage_mark(stage: StageState) -> Text:
    """Return a stage with the sign of its status, and the duration of a finished one."""
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


def _failure(words: str, next_at: datetime | None) -> str:
    line = one_line(words)
    return line if next_at is None else f"{line} Next attempt at {next_at.astimezone():%H:%M:%S}."


def _took(stage: StageState) -> str:
    if stage.started_at is None or stage.ended_at is None:
        return ""
    return f" {(stage.ended_at - stage.started_at).total_seconds() * 1000:.0f} ms"
