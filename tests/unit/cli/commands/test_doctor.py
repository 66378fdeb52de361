"""`nalanda doctor`, check by check, as all of them together need servers."""

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from cli import temporal_server
from cli.commands import doctor
from core.adapters.postgres.engine import PostgresEngine
from core.settings import Settings
from tests.unit.cli.conftest import Run, Server

NO_LIBRARIES: dict[str, object] = {"items": [], "next_cursor": None}


@pytest.fixture
def no_temporal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refused(_address: str, _namespace: str) -> None:
        raise RuntimeError("refused")

    monkeypatch.setattr(doctor, "connect_to_temporal", refused)


@pytest.fixture
def temporal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def connected(_address: str, _namespace: str) -> None:
        return None

    monkeypatch.setattr(doctor, "connect_to_temporal", connected)


@pytest.mark.usefixtures("temporal")
def test_all_is_there(run: Run, server: Server) -> None:
    server.answer("/version", {"version": "9.9"})
    server.answer("/readyz", {"ready": True})
    server.answer("/libraries", NO_LIBRARIES)
    outcome = run("doctor")
    assert outcome.status == 0
    assert all(line.startswith("✓ ") for line in outcome.out.splitlines())
    assert "✓ API: http://127.0.0.1:8000, version 9.9" in outcome.out


@pytest.mark.usefixtures("no_temporal")
def test_what_is_missing_is_named_with_what_to_do(run: Run, server: Server) -> None:
    server.answer("/version", httpx.ConnectError("refused"))
    outcome = run("doctor")
    assert outcome.status == 1
    remedy = [line for line in outcome.out.splitlines() if line.startswith("✗ ")]
    assert [line.split(":")[0] for line in remedy] == ["✗ Temporal", "✗ API"]
    assert all("→ Start one with `nalanda up`" in line for line in remedy)


@pytest.mark.usefixtures("temporal")
def test_an_api_that_is_not_ready(run: Run, server: Server) -> None:
    server.answer("/version", {"version": "9.9"})
    server.answer("/readyz", httpx.Response(503, json={"checks": {"storage": "loading"}}))
    outcome = run("doctor")
    assert outcome.status == 1
    assert "not ready: storage: loading" in outcome.out


@pytest.mark.usefixtures("temporal")
@pytest.mark.parametrize(
    ("state", "status", "line"),
    [
        ("ok", 0, "✓ worker: polls for questions"),
        ("none polls the task queue q", 1, "✗ worker: none polls the task queue q → Start one"),
        ("unknown: Temporal is unreachable", 0, ""),
    ],
)
def test_the_workers(state: str, status: int, line: str, run: Run, server: Server) -> None:
    server.answer("/version", {"version": "9.9"})
    checks = {"worker": state, "ingest_worker": state}
    server.answer("/readyz", {"ready": True, "checks": checks})
    server.answer("/libraries", NO_LIBRARIES)
    outcome = run("doctor")
    assert outcome.status == status
    assert line in outcome.out
    assert (
        line.replace("worker:", "worker of ingestions:").replace("questions", "ingestions")
        in outcome.out
    )
    assert ("worker:" in outcome.out) is bool(line)


@pytest.mark.usefixtures("temporal")
def test_a_key_is_never_shown(run: Run, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CO_API_KEY", "s3cret")
    monkeypatch.setenv("NALANDA_API_KEYS", "hidd3n")
    server.answer("/version", {"version": "9.9"})
    server.answer("/readyz", {"ready": True})
    server.answer("/libraries", NO_LIBRARIES)
    outcome = run("doctor")
    assert "CO_API_KEY, NALANDA_API_KEYS" in outcome.out
    assert "providers: embed: cohere, local; rerank: cohere; answer: cohere" in outcome.out
    assert "s3cret" not in outcome.out
    assert "hidd3n" not in outcome.out


def asking_for_a_key(request: httpx.Request) -> httpx.Response:
    if request.headers.get("Authorization") == "Bearer right":
        return httpx.Response(200, json=NO_LIBRARIES)
    return httpx.Response(401, json={"title": "Unauthorized", "detail": "This needs a key."})


@pytest.mark.usefixtures("temporal")
@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("right", "✓ API: http://127.0.0.1:8000, version 9.9"),
        ("wrong,right", "✗ API: http://127.0.0.1:8000, version 9.9, refuses the key → Set NALANDA"),
        ("", "✗ API: http://127.0.0.1:8000, version 9.9, requires a key → Set NALANDA_API_KEYS to"),
    ],
)
def test_the_key_is_tried(keys: str, line: str, run: Run, server: Server, tmp_path: Path) -> None:
    server.answer("/version", {"version": "9.9"})
    server.answer("/readyz", {"ready": True})
    server.handlers["/libraries"] = asking_for_a_key
    (tmp_path / ".env").write_text(f"NALANDA_API_KEYS={keys}\n")
    outcome = run("doctor")
    assert line in outcome.out
    assert outcome.status == (0 if line.startswith("✓") else 1)


@pytest.mark.usefixtures("temporal")
def test_an_api_that_does_not_answer_to_its_name(run: Run, server: Server) -> None:
    refusal = {"title": "Forbidden", "detail": "This server does not serve the host x."}
    server.answer("/version", httpx.Response(403, json=refusal))
    outcome = run("doctor")
    assert outcome.status == 1
    assert "does not serve the host x. → Set NALANDA_API_URL to" in outcome.out


def test_settings_are_named_with_where_they_are_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor._settings().state == "set in the environment: none"
    (tmp_path / ".env").write_text(
        "NALANDA_API_KEYS=s3cret\nnalanda_data_dir=here\nCO_API_KEY=\nOTHER=1\nNALANDA_PROVIDER=local\n"
    )
    said = "NALANDA_API_KEYS, NALANDA_DATA_DIR, NALANDA_PROVIDER"
    assert doctor._settings().state == f"set in the environment: none; in .env: {said}"
    monkeypatch.setenv("NALANDA_PROVIDER", "cohere")
    monkeypatch.setenv("NALANDA_TASK_QUEUE", "")
    assert doctor._settings().state == (
        f"set in the environment: NALANDA_PROVIDER; in .env: {said} (the environment overrides it)"
    )


def test_cohere_without_a_key() -> None:
    finding = doctor._providers(Settings(provider="cohere"))
    assert finding.remedy == (
        "The provider cohere needs a key: set CO_API_KEY. Or set NALANDA_PROVIDER=local."
    )
    with_key = Settings(provider="cohere", cohere_api_key=SecretStr("k"))
    assert doctor._providers(with_key).remedy is None


def test_a_data_directory_to_be_made(tmp_path: Path) -> None:
    finding = doctor._data_dir(Settings(data_dir=tmp_path / "a" / "b"))
    assert (finding.state, finding.remedy) == (f"{tmp_path}/a/b, to be created", None)
    assert list(tmp_path.iterdir()) == []


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = doctor._data_dir(Settings(data_dir=tmp_path / "file"))
    assert finding.remedy is not None
    assert finding.state == f"{tmp_path}/file: Not a directory"


def test_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._database(Settings()).state == "SQLite, in the data directory"
    secret = Settings(database_url=SecretStr("postgresql://u:s3cret@127.0.0.1:1/db"))
    finding = doctor._database(secret)
    assert finding.state.startswith("127.0.0.1:1/db can't be opened: ")
    assert "s3cret" not in finding.state
    assert finding.remedy is not None
    monkeypatch.setattr(PostgresEngine, "describe", lambda engine: f"looked at {engine.address}")
    finding = doctor._database(secret)
    assert (finding.state, finding.remedy) == (
        "looked at 127.0.0.1:1/db",
        None,
    )


@pytest.mark.parametrize("needed", [True, False])
def test_no_temporal_binary(needed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise temporal_server.TemporalNotFound

    monkeypatch.setattr(temporal_server, "find_binary", none)
    finding = doctor._temporal_binary(needed=needed)
    assert (finding.remedy is not None) == needed


@pytest.mark.usefixtures("temporal")
def test_a_proxy_is_not_mended_by_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "[::1]")
    finding = doctor._api(Settings(api_url="http://nalanda.example"))
    assert finding.state.startswith("NO_PROXY has the entry [::1]")
    assert finding.remedy == "Correct the environment, or set NALANDA_API_URL."
