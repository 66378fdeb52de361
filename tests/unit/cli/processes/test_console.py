import io
from collections.abc import Callable

import pytest
from rich.console import Console

from cli.processes.console import Reporter, print_places
from cli.processes.supervision.child import Child, Service
from cli.processes.supervision.supervisor import Event, What


async def never(_child: Child) -> bool:
    return False


SERVICE = Service("api", ("run",), never, address="http://127.0.0.1:8000/[x]")


def printed(report: Callable[[Reporter], object], *, terminal: bool = False) -> str:
    output = io.StringIO()
    console = Console(file=output, width=60, force_terminal=terminal, highlight=False)
    reporter = Reporter(console)
    report(reporter)
    reporter.close()
    return output.getvalue()


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("starting", ""),
        ("back", "  ✓ api is running again\n"),
        ("stopping", ""),
        ("stopped", "  · api stopped\n"),
        ("killed", "  ! api did not stop in time, and was killed\n"),
    ],
)
def test_one_line_an_event_and_no_control_codes(what: What, line: str) -> None:
    assert printed(lambda reporter: reporter(Event(SERVICE, what))) == line


def test_what_is_ready_says_where_it_is() -> None:
    said = printed(lambda reporter: reporter(Event(SERVICE, "ready")))
    assert said.startswith("  ✓ api       http://127.0.0.1:8000/[x]  ")
    assert said.endswith(" s\n")


def test_a_death_is_one_line_and_its_last_words_as_they_were() -> None:
    event = Event(SERVICE, "died", "died (exit status 3)", ("[red]" + "x" * 80, "[/oops]"))
    assert printed(lambda reporter: reporter(event)).splitlines() == [
        "  ✗ api died (exit status 3); restarting",
        "    [red]" + "x" * 80,
        "    [/oops]",
    ]


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_gets_lines(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)

    def show(reporter: Reporter) -> None:
        reporter(Event(SERVICE, "starting"))
        reporter(Event(SERVICE, "back"))

    said = printed(show, terminal=True)
    assert said.endswith("api is running again\n")
    assert "\x1b[?25" not in said


def test_a_terminal_gets_its_cursor_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    said = printed(lambda reporter: reporter(Event(SERVICE, "starting")), terminal=True)
    assert "api starts" in said
    assert said.rindex("\x1b[?25h") > said.rindex("\x1b[?25l")


def test_places_are_in_two_columns() -> None:
    output = io.StringIO()
    print_places(Console(file=output), [("API", "http://h"), ("Temporal UI", "[here]")])
    assert output.getvalue() == "  API           http://h\n  Temporal UI   [here]\n"
