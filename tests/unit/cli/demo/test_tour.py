"""Display of answers, and the end of the demo."""

import io
from collections.abc import Callable

import httpx
import pytest
import typer
from rich.console import Console

from cli.demo import command
from cli.demo.corpus import CorpusUnreadable
from cli.demo.tour import Tour
from cli.processes import session
from nalanda import AsyncNalanda
from tests.unit.cli.demo.results import chunk, citation, result

QUOTE = citation("put", 0, 7, "It puts", 0)


async def shown(stored: str) -> tuple[bool, str]:
    """Return the verdict and the text for an answer that quotes `It puts`, if its chunk says
    `stored`.
    """

    def respond(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/libraries/python/chunks/put"
        return httpx.Response(200, content=chunk("put", stored).model_dump_json())

    output = io.StringIO()
    tour = Tour(Console(file=output, width=40, highlight=False), once=True)
    transport = httpx.MockTransport(respond)
    async with AsyncNalanda("http://server", transport=transport) as client:
        sound = await tour._show(client, result("It puts, and then it goes on for a while.", QUOTE))
    return sound, output.getvalue()


async def test_an_answer_whose_quotes_hold_says_so() -> None:
    sound, text = await shown("It puts it there.")
    assert sound
    assert "\nIt puts [1], and then it goes on for a while.\n" in text
    assert "[1] put  function of module m, Python 3.11.7\n" in text
    assert "✓ each quote was found in the chunk that it cites\n" in text
    assert "\x1b" not in text


async def test_an_answer_that_misquotes_is_not_sound() -> None:
    sound, text = await shown("It takes it away.")
    assert not sound
    assert "✗ put does not say 'It puts' where it is quoted" in text
    assert "✓" not in text


def ended(outcome: bool | None, *, passed: bool) -> Callable[..., bool | None]:
    """Return a session with the tour's own outcome, or ended by a signal (None)."""

    def run(_settings: object, _port: int, _console: Console, work: object) -> bool | None:
        tour = work.__self__  # type: ignore[attr-defined]  # it is `Tour.run` of one
        tour.passed = passed
        return outcome

    return run


@pytest.mark.parametrize(
    ("outcome", "passed", "status"),
    [(True, True, 0), (False, False, 1), (None, True, 0), (None, False, 130)],
)
def test_the_exit_status_says_how_it_went(
    outcome: bool | None, passed: bool, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "run", ended(outcome, passed=passed))
    with pytest.raises(typer.Exit) as exit_:
        command.demo(once=True)
    assert exit_.value.exit_code == status


def test_an_unreadable_library_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object) -> None:
        raise CorpusUnreadable("The standard library could not be read: it is gone")

    monkeypatch.setattr(session, "run", run)
    with pytest.raises(typer.Exit):
        command.demo(once=True)
    assert capsys.readouterr().err.splitlines() == [
        "The standard library could not be read: it is gone"
    ]
