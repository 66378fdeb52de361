"""`nalanda eval`."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.connection import PATIENT, connect
from cli.evaluation.asking import Asking, Evaluator
from cli.evaluation.bars import Bar, faults, parse_bar
from cli.evaluation.library import LibraryDocuments
from cli.evaluation.outcome import Outcome
from cli.evaluation.questions import BadFile, NumberedQuestion, read_questions
from cli.evaluation.report import (
    Report,
    build_report,
    changed_questions,
    metric_rows,
    misses,
    read_report,
    timing_rows,
)
from cli.options import JsonFlag, LibraryOption, ModeOption
from cli.output.progress import bar
from cli.output.terminal import one_line, show_rows
from nalanda import Library, Nalanda

WRONG_USAGE = 2
MISS_CHARS = 400


def evaluate(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON Lines: a question with its sources on each."),
    ],
    library: LibraryOption,
    k: Annotated[int, typer.Option("-k", min=1, help="Number of candidates to retrieve.")] = 40,
    top_n: Annotated[int, typer.Option(min=1, help="Number of candidates to answer from.")] = 5,
    mode: ModeOption = None,
    require: Annotated[
        list[Bar] | None,
        typer.Option(
            metavar="METRIC=VALUE",
            parser=parse_bar,
            help="A bar: end with 1 if the metric is worse. May be repeated.",
        ),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="EARLIER.json", help="The JSON of an earlier run.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="REPORT.json", help="Also write the JSON to a file.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Questions asked at once.")] = 1,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to wait for an answer.")] = 120.0,
    ranking: Annotated[
        bool, typer.Option(help="Ask each question twice if --top-n is under 10, for ten hits.")
    ] = True,
    by_tag: Annotated[bool, typer.Option("--by-tag", help="Show each tag's values.")] = False,
    show_misses: Annotated[
        bool, typer.Option("--misses", help="List the questions with a wrong outcome.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Ask a file of questions, and measure how right the answers are.

    The exit status is 1 if a bar is not reached, and 2 for a file that is not usable.
    """
    try:
        questions = read_questions(file)
        _check_folder(save)
        earlier = read_report(compare) if compare else None
        with connect(max_retries=PATIENT) as client:
            target = client.libraries.get(library)
            asking = Asking(k, top_n, _mode_of(target, mode), timeout, ranking)
            documents = LibraryDocuments.read(client, target.id)
            documents.check(client, file, questions)
            outcomes = _evaluate(client, documents, asking, questions, concurrency)
        report = build_report(target.name, _search_options(file, asking), outcomes)
        if save:
            _save(save, report)
    except BadFile as error:
        typer.echo(f"nalanda: {error}", err=True)
        raise typer.Exit(WRONG_USAGE) from None
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        _show(report, earlier, by_tag=by_tag, show_misses=show_misses)
    _hold(report, require or [])


def _evaluate(
    client: Nalanda,
    documents: LibraryDocuments,
    asking: Asking,
    questions: Sequence[NumberedQuestion],
    concurrency: int,
) -> list[Outcome]:
    outcomes = Evaluator(client, documents, asking).outcomes(questions, concurrency)
    with bar("Asking") as show:
        return list(_count(outcomes, len(questions), show))


def _count(
    outcomes: Iterator[Outcome], total: int, show: Callable[[int, int | None], None]
) -> Iterator[Outcome]:
    for number, outcome in enumerate(outcomes, start=1):
        show(number, total)
        yield outcome


def _mode_of(library: Library, mode: object) -> Literal["vector", "lexical", "hybrid"]:
    """Return the given mode, else `hybrid` if the library has a model, else `lexical`."""
    match str(mode or ""):
        case "vector":
            return "vector"
        case "lexical":
            return "lexical"
        case "hybrid":
            return "hybrid"
        case _:
            return "hybrid" if library.embedding_model else "lexical"


def _search_options(file: Path, asking: Asking) -> dict[str, object]:
    return {"file": file.name, "k": asking.k, "top_n": asking.top_n, "mode": asking.mode}


def _check_folder(save: Path | None) -> None:
    """Check, before any question is asked, that the report's folder exists.

    Raises:
        BadFile: there is no such folder.
    """
    if save and not save.parent.is_dir():
        raise BadFile(f"{save} can't be written: there is no folder {save.parent}.")


def _save(path: Path, report: Report) -> None:
    try:
        path.write_text(report.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{path} can't be written: {error.strerror}.") from None


def _show(report: Report, earlier: Report | None, *, by_tag: bool, show_misses: bool) -> None:
    for rows in (metric_rows(report, earlier, by_tag=by_tag), timing_rows(report)):
        headers = next(rows)
        show_rows(headers, rows)
        typer.echo()
    usage = {name: count for name, count in report.usage.model_dump().items() if count}
    counted = ", ".join(f"{count:,} {name}" for name, count in usage.items())
    typer.echo(f"{len(report.outcomes)} questions; {counted or 'no billed units'}")
    lines = list(changed_questions(report, earlier)) if earlier else []
    lines += misses(report) if show_misses else []
    for line in lines:
        typer.echo(one_line(line, MISS_CHARS))


def _hold(report: Report, bars: Sequence[Bar]) -> None:
    """End with 1 if a bar is not reached.

    Raises:
        typer.Exit: a bar is not reached.
    """
    missed = list(faults(bars, report.metrics))
    for line in missed:
        typer.echo(f"nalanda: {line}", err=True)
    if missed:
        raise typer.Exit(1)
