"""The demo: ingest the library, ask, show answers with evidence, and suggest next steps."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from cli.demo import corpus, evidence, next_steps
from cli.demo.ingest import LIBRARY, ingest
from cli.output import render
from cli.output.terminal import can_overwrite
from cli.processes import session
from cli.processes.console import print_places
from cli.processes.stack import Stack
from nalanda import AsyncNalanda, QueryFailed, QueryHandle, QueryResult, QueryState

QUESTIONS = (
    "How do I run a subprocess with a timeout?",
    "How do I copy a whole directory tree?",
    "How do I parse a date in ISO format?",
    "How do I split a string into shell-like tokens?",
    "How do I wrap a long paragraph of text to a given width?",
)
ANSWER_S = 60.0
INDENT = (0, 0, 0, 5)


class Tour:
    """A run of the demo against running services; `passed` is True after full success."""

    def __init__(self, console: Console, *, once: bool) -> None:
        self._console = console
        self._once = once
        self.passed = False

    async def run(self, stack: Stack) -> bool:
        """Return True on success; without `once`, wait for cancellation first."""
        keys = stack.settings.api_keys
        key = keys[0].get_secret_value() if keys else None
        async with AsyncNalanda(stack.settings.api_url, api_key=key) as client:
            await self._fill(client)
            answers = [
                await self._ask(client, number, question)
                for number, question in enumerate(QUESTIONS, start=1)
            ]
        self.passed = all(sound for _, sound in answers)
        self._point_further(stack, answers[0][0])
        if self.passed and not self._once:
            await session.wait_until_interrupted(self._console)
        return self.passed

    async def _fill(self, client: AsyncNalanda) -> None:
        entries = await asyncio.to_thread(corpus.read)
        documents = list(corpus.documents(entries))
        total = sum(len(document.chunks) for document in documents)
        written = 0
        with self._progress() as progress:
            bar = progress.add_task(f"The documentation of Python {corpus.PYTHON}", total=total)
            async for step in ingest(client, documents):
                written += step.written
                progress.advance(bar, len(step.document.chunks))
        self._console.print(
            f"  [green]✓[/green] library   {LIBRARY}: the documentation of Python {corpus.PYTHON}, "
            f"{total:,} chunks in {len(documents)} documents, {written} of them written now",
            soft_wrap=True,
        )

    def _progress(self) -> Progress:
        return Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not can_overwrite(self._console),
        )

    async def _ask(
        self, client: AsyncNalanda, number: int, question: str
    ) -> tuple[QueryHandle, bool]:
        """Ask a question; return its handle, and True if all quotes of the answer hold."""
        self._console.print(
            f"\n[bold cyan]{number}/{len(QUESTIONS)}[/bold cyan]  [bold]{question}[/bold]"
        )
        handle = await client.queries.start(LIBRARY, question)
        state = await self._watch(client, handle)
        if state.result is None or state.status != "completed":
            return handle, self._print_verdict([str(QueryFailed(state))])
        return handle, await self._show(client, state.result)

    async def _watch(self, client: AsyncNalanda, handle: QueryHandle) -> QueryState:
        """Return the last state; show each earlier one where the terminal can overwrite a line."""
        live = Live(console=self._console, auto_refresh=False, transient=True)
        overwrites = can_overwrite(self._console)
        with live if overwrites else nullcontext():
            async for state in client.queries.watch(handle.workflow_id, timeout_s=ANSWER_S):
                if overwrites:
                    live.update(Padding(render.stage_line(state), INDENT), refresh=True)
        self._print(render.stage_line(state))
        return state

    async def _show(self, client: AsyncNalanda, result: QueryResult) -> bool:
        chunks = await evidence.fetch_cited_chunks(client, result)
        origins = {chunk_id: evidence.origin(chunk) for chunk_id, chunk in chunks.items()}
        self._console.print()
        self._print(render.answer(result, origins))
        faults = evidence.faults(result, chunks)
        if not faults:
            checked = "each quote was found in the chunk that it cites"
            self._print(Text.assemble(("✓ ", "green"), (checked, "dim")))
        return self._print_verdict(faults)

    def _print_verdict(self, faults: Sequence[str]) -> bool:
        for fault in faults:
            self._print(Text(f"✗ {fault}", "red"))
        return not faults

    def _print(self, what: RenderableType) -> None:
        """Print with indentation on a terminal; elsewhere print lines unbroken and unpadded."""
        if self._console.is_terminal:
            self._console.print(Padding(what, INDENT))
        else:
            self._console.print(what, soft_wrap=True)

    def _point_further(self, stack: Stack, handle: QueryHandle) -> None:
        aside = "  [dim]while it is up, that is without --once[/dim]" if self._once else ""
        self._console.print(f"\n[bold]What to try next[/bold]{aside}\n")
        rows = session.addresses(stack)
        if handle.temporal_ui_url:
            rows.append(("question 1", handle.temporal_ui_url))
        print_places(self._console, rows)
        for headline, line in next_steps.commands(stack.settings, handle):
            self._console.print(f"\n  [bold]{headline}[/bold]")
            self._console.print(Text(f"  {line}"), soft_wrap=True)  # unbroken, for copying
