"""The command as a whole: help, usage errors, failures."""

import io
import subprocess
import sys
from importlib import import_module

import httpx
import pytest
import typer

from cli.application import COMMANDS
from cli.main import main
from tests.unit.cli.conftest import NOW, Run, Server

HEAVY = ("nalanda", "httpx", "pydantic", "rich", "temporalio", "core", "api")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_the_same_as_the_command(name: str) -> None:
    where, help_line = COMMANDS[name]
    module, _, attribute = where.partition(":")
    target = getattr(import_module(module), attribute)
    said = target.info.help if isinstance(target, typer.Typer) else target.__doc__
    assert str(said).splitlines()[0] == help_line


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, run: Run) -> None:
    outcome = run(name, "--help")
    assert outcome.status == 0
    assert f"Usage: nalanda {name}" in outcome.out


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['nalanda', '--help']\n"
        "from cli.main import main\n"
        "try: main()\n"
        f"finally: print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert "doctor" in done.stdout


def test_ingestion_by_the_server_imports_no_parser() -> None:
    script = (
        "import sys; from cli.application import application; application(['ingest'])\n"
        "print({'activities', 'core.documents.splitting'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


def test_the_version(run: Run) -> None:
    assert run("--version").out == "nalanda 0.1.0\n"


@pytest.mark.parametrize(
    "words", [(), ("asc",), ("ask",), ("search", "x", "-l", "y", "--filter", "{"), ("--nonsense",)]
)
def test_a_wrong_usage(words: tuple[str, ...], run: Run) -> None:
    outcome = run(*words)
    assert outcome.status == 2
    assert "Usage: nalanda" in outcome.err


def test_no_server(run: Run, server: Server) -> None:
    server.answer("/libraries", httpx.ConnectError("refused"))
    outcome = run("library", "list")
    assert outcome.status == 1
    assert outcome.out == ""
    assert outcome.err == (
        "nalanda: http://127.0.0.1:8000 could not be reached: refused. "
        "Start the server with `nalanda up`, or set NALANDA_API_URL.\n"
    )


def test_no_address(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NALANDA_API_URL", "nowhere")
    outcome = run("library", "list")
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert "Set NALANDA_API_URL to an address" in outcome.err


def test_one_of_several_addresses_is_none(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NALANDA_API_URL", "http://a:8000, nowhere")
    outcome = run("library", "list")
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith("nalanda: nowhere is not the address of a server")


def test_no_name(run: Run) -> None:
    assert run("library", "show", "").err == "nalanda: '' is neither an id nor a name.\n"


def test_no_key(run: Run, server: Server) -> None:
    server.answer("/libraries", httpx.Response(401, json={"title": "Unauthorized"}))
    outcome = run("library", "list")
    assert (outcome.status, outcome.err.count("\n")) == (1, 1)
    assert "Set NALANDA_API_KEYS" in outcome.err


def test_the_first_key_is_sent(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NALANDA_API_KEYS", "one, two")
    server.answer("/libraries", {"items": [], "next_cursor": None})
    assert run("library", "list").status == 0
    assert server.requests[0].headers["Authorization"] == "Bearer one"


def test_wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NALANDA_PROVIDER", "oracle")
    outcome = run("library", "list")
    assert outcome.status == 1
    assert outcome.err == (
        "nalanda: The settings are invalid. "
        "NALANDA_PROVIDER: Input should be 'auto', 'local', 'cohere', 'openai' or 'transformer'.\n"
    )


def test_an_unexpected_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    def broken(_libraries: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("nalanda._sync.libraries.Libraries.list", broken)
    monkeypatch.setattr("sys.argv", ["nalanda", "library", "list"])
    with pytest.raises(RuntimeError, match="a bug"):
        main()


def test_an_interruption(run: Run, server: Server) -> None:
    server.answer("/libraries", KeyboardInterrupt())
    assert run("library", "list").status == 130


def test_an_interruption_while_it_is_imported(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_module: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.application.import_module", interrupted)
    assert run("library", "list").status == 130


def test_what_the_encoding_of_stdout_does_not_have_is_escaped(
    run: Run, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = "caf\xe9 \N{GREEK SMALL LETTER ALPHA}"
    library = {"id": "l", "name": named, "version": 1, "created_at": NOW, "updated_at": NOW}
    server.answer("/libraries", {"items": [library], "next_cursor": None})
    written = io.BytesIO()
    stdout = io.TextIOWrapper(written, encoding="latin-1", write_through=True)
    monkeypatch.setattr("sys.stdout", stdout)
    assert run("library", "list").status == 0
    assert b"caf\xe9 \\u03b1" in written.getvalue()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("NALANDA_ROLE", "chief"),
        ("NALANDA_LEASE_S", "0.5"),
        ("NALANDA_LEASE_S", "61"),
        ("NALANDA_LEASE_S", "soon"),
        ("NALANDA_LEASE_S", "nan"),
        ("NALANDA_LEADER_WAIT_S", "-1"),
        ("NALANDA_FORWARD", "mail"),
    ],
)
def test_a_wrong_setting_of_a_cluster_is_named(
    variable: str, value: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    outcome = run("cluster", "status")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert f"nalanda: The settings are invalid. {variable}: Input should be" in outcome.err
