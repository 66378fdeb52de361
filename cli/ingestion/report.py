"""Report of a run: one line per file, counts and a summary."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

import typer
from rich.progress import Progress

from cli.ingestion.finding import Finder, Remark
from cli.ingestion.places import display_path
from cli.output.terminal import can_overwrite, console, one_line
from nalanda import PayloadTooLargeError

Outcome = Literal["added", "changed", "unchanged", "failed", "pruned"]
_ALWAYS: tuple[Outcome, ...] = ("added", "changed", "unchanged", "failed")
_MOST_KINDS = 12
"""Maximum number of skipped kinds that the summary names."""


class Report:
    """The outcomes of a run: counts go to stdout, progress and problems to `errors`."""

    def __init__(self) -> None:
        self.errors = console(stderr=True)
        self.counts: Counter[Outcome] = Counter()
        self.passed_over: Counter[str] = Counter()
        self.is_complete = True
        """False after any failure."""
        self._advance: Callable[[], None] | None = None

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """Show a bar on a terminal that each outcome of a file advances."""
        with Progress(
            console=self.errors, transient=True, disable=not can_overwrite(self.errors)
        ) as bar:
            task = bar.add_task("Ingesting", total=total)
            self._advance = partial(bar.advance, task)
            try:
                yield
            finally:
                self._advance = None

    def count(self, outcome: Outcome, path: Path) -> None:
        self._count(outcome)
        if outcome == "pruned" or not can_overwrite(self.errors):
            typer.echo(f"{outcome}\t{_line(path)}")

    def fail(self, path: Path, why: str) -> None:
        self._count("failed")
        self.is_complete = False
        self.note(path, why)

    def fail_as_too_large(self, path: Path, error: PayloadTooLargeError) -> None:
        remedy = "To ingest it, split the file, or raise NALANDA_MAX_BODY_BYTES of the server."
        self.fail(path, f"{error} {remedy}")

    def take(self, finder: Finder, known: Collection[Remark] = ()) -> None:
        """Report what a search passed over, and its remarks but the known ones."""
        self.passed_over = finder.passed_over
        for remark in finder.remarks:
            if remark in known:
                continue
            if remark.outcome == "failed":
                self.fail(remark.path, remark.text)
            else:
                self.is_complete &= remark.outcome != "empty"
                self.note(remark.path, remark.text)

    def note_no_text(self, path: Path) -> None:
        self.note(path, "has no text, so no search will find it")

    def note(self, path: Path, text: str) -> None:
        self.say(f"{_line(path)}: {text}")

    def say(self, text: str) -> None:
        self.errors.print(one_line(text, max_chars=3000), soft_wrap=True)

    def summary(self, library: str, *, with_pruned: bool) -> Iterator[str]:
        outcomes = (*_ALWAYS, "pruned") if with_pruned else _ALWAYS
        counts_text = ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in outcomes)
        if self.passed_over:
            yield f"Skipped: {', '.join(self._kinds_passed_over())}."
        yield f"Library {library}: {counts_text}."

    def say_round(self, before: Counter[Outcome]) -> None:
        """Print the time and the counts since `before`, unless nothing has changed."""
        new = self.counts - before
        counts = ", ".join(
            f"{new[o]} {o}" for o in (*_ALWAYS, "pruned") if o != "unchanged" and new[o]
        )
        if counts:
            typer.echo(f"{datetime.now().astimezone():%H:%M:%S}\t{counts}.")

    def _count(self, outcome: Outcome) -> None:
        self.counts[outcome] += 1
        if self._advance is not None:
            self._advance()

    def _kinds_passed_over(self) -> Iterator[str]:
        kinds = sorted(self.passed_over.items(), key=lambda item: (-item[1], item[0]))
        for kind, number in kinds[:_MOST_KINDS]:
            yield f"{number} {one_line(kind, max_chars=40)}"
        if rest := kinds[_MOST_KINDS:]:
            yield f"{sum(number for _, number in rest)} of {len(rest)} other kinds"


def _line(path: Path) -> str:
    return one_line(display_path(path), max_chars=1000)
