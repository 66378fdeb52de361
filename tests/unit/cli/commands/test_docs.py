"""`nalanda docs`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from cli.commands import docs
from cli.processes.ports import HOST, listen, port_of
from tests.unit.cli.conftest import Run

_DEADLINE_S = 60


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(docs, "SITE", folder)
    return folder


def test_without_a_site_one_line_says_what_to_do(run: Run, site: Path) -> None:
    outcome = run("docs")
    assert outcome.status == 1
    assert outcome.err == f"nalanda: {site} has no documentation. Build it with: make docs\n"


@contextmanager
def serve(site: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    script = f"""
import sys
from pathlib import Path
from cli.commands import docs
from cli.main import main
docs.SITE = Path({str(site)!r})
sys.argv = ["nalanda", "docs", "--port", "{port}"]
main()
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_serves_the_site_until_it_is_interrupted(site: Path) -> None:
    (site / "index.html").write_text("<h1>Nalanda</h1>")
    with listen(0) as taken, serve(site, port_of(taken)) as process:
        assert process.stdout is not None
        name, url = process.stdout.readline().split()
        assert name == "Documentation"
        assert url != f"http://{HOST}:{port_of(taken)}/"
        answer = httpx.get(url, timeout=_DEADLINE_S)
        assert answer.text == "<h1>Nalanda</h1>"
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert httpx.get(f"{url}../{site.parent.name}", timeout=_DEADLINE_S).status_code == 404
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=_DEADLINE_S)
        assert (process.returncode, out, err) == (130, "", "")
