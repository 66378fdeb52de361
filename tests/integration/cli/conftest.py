"""The whole command and the API in this process."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from api.main import create_app
from cli import main
from core.settings import Settings
from nalanda import Nalanda

Run = Callable[..., str]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `nalanda` with these words; return its output, errors first."""

    def call(*words: object, status: int | None = None) -> str:
        monkeypatch.setattr("sys.argv", ["nalanda", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        out, err = capsys.readouterr()
        if status is not None:
            assert ended.value.code == status
        return err + out

    return call


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(Settings(data_dir=tmp_path_factory.mktemp("data"), provider="local"))
    with TestClient(app, "http://localhost") as server:
        yield server


@pytest.fixture
def client(
    server: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Nalanda]:
    """Yield a client of the commands' server, and delete its libraries afterwards."""
    monkeypatch.chdir(tmp_path)
    transport = httpx.MockTransport(partial(forward, server))
    made = partial(Nalanda, transport=transport, max_retries=0)
    monkeypatch.setattr("cli.connection.Nalanda", lambda url, **_: made(url))
    with made("http://localhost") as client:
        yield client
        for library in client.libraries.list():
            client.libraries.delete(library.id)


def forward(server: TestClient, request: httpx.Request) -> httpx.Response:
    url, headers = str(request.url), dict(request.headers)
    answer = server.request(request.method, url, content=request.content, headers=headers)
    return httpx.Response(answer.status_code, headers=dict(answer.headers), content=answer.content)
