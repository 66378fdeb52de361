"""`nalanda serve` and `nalanda temporal` alone."""

import asyncio
import errno
import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import typer
from pydantic_settings import SettingsError

from cli.commands import serve
from cli.processes import lock
from cli.processes.supervision import health
from cli.processes.supervision.child import Child, Service
from cli.processes.supervision.logs import LogFile
from core.adapters.data_dir import DataDirLock
from core.bootstrap import open_core
from core.domain.errors import StorageError
from core.settings import Settings
from tests.temporal import free_port


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(typer.Exit) as ended:
            serve.serve("127.0.0.1", port)
    assert ended.value.exit_code == 1
    said = f"Port {port} of 127.0.0.1 is in use. Choose another with --port.\n"
    assert capsys.readouterr().err == said


def test_an_address_that_is_not_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        serve.serve("192.0.2.1", 8000)  # RFC 5737: reserved for documentation
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("host", ["0.0.0.0", "::", ""])
def test_without_keys_other_machines_are_not_let_in(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NALANDA_API_KEYS", " , ")
    ended = nalanda("serve", "--host", host, "--port", "0", folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "--insecure" in line if host else "--host is empty" in line
    assert not (tmp_path / ".data").exists()


def test_a_socket_that_other_machines_reach_is_refused_too(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        ended = subprocess.run(
            [sys.executable, "-P", "-m", "cli", "serve", "--fd", str(listener.fileno())],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            pass_fds=[listener.fileno()],
        )
    assert ended.returncode == 1
    assert "--insecure" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "keys", "answer"),
    [(("--insecure",), "", 403), ((), "first,second", 401)],
)
def test_other_machines_are_let_in_with_keys_or_by_a_setting(
    arguments: tuple[str, ...], keys: str, answer: int, tmp_path: Path
) -> None:
    log = LogFile(tmp_path / "log")
    port = free_port()
    command = (sys.executable, "-P", "-m", "cli", "serve", "--host", "0.0.0.0")
    environment = {"NALANDA_API_KEYS": keys, "NALANDA_DATA_DIR": str(tmp_path / "data")}
    service = Service(
        "api",
        (*command, "--port", str(port), *arguments),
        health.api(f"http://127.0.0.1:{port}"),
        environment,
    )

    async def run() -> None:
        child = Child(service, log)
        await child.start()
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
                url = f"http://127.0.0.1:{port}/libraries"
                assert (await http.get(url)).status_code == (401 if keys else 200)
                by_address = await http.get(url, headers={"Host": "192.0.2.7:8000"})
                assert by_address.status_code == (401 if keys else 200)
                foreign = await http.get(url, headers={"Host": "db.example.org"})
                assert foreign.status_code == answer
        finally:
            await child.stop()

    asyncio.run(run())
    log.close()


def nalanda(*arguments: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", *arguments],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("command", "place"),
    [
        ("up", "file"),
        ("demo", "file/below"),
        ("temporal", "/dev/null/below"),
        ("serve", "/proc/below"),
    ],
)
def test_a_data_directory_that_cannot_be_is_one_line(
    command: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    ended = nalanda(command, "--port", "0", "--data", place, folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert f"The data directory {place} can't be used" in line
    assert "--data" in line


@pytest.mark.parametrize(
    ("command", "port"),
    [("up", "-1"), ("demo", "65536"), ("temporal", "http"), ("serve", "99999"), ("serve", "-1")],
)
def test_a_port_that_cannot_be_is_a_wrong_usage(command: str, port: str, tmp_path: Path) -> None:
    ended = nalanda(command, "--port", port, folder=tmp_path)
    assert ended.returncode == 2
    assert "Error: Invalid value for '--port'" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["192.0.2.1", "nosuch.invalid", "a..b", "", "2001:db8::1"])
def test_a_host_that_is_not_this_machines_is_one_line_about_the_host(
    host: str, tmp_path: Path
) -> None:
    ended = nalanda("serve", "--host", host, folder=tmp_path)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "--host" in line
    assert "--port" not in line


@pytest.mark.parametrize("command", ["up", "doctor", "worker"])
def test_an_env_file_that_cannot_be_read_is_one_line(command: str, tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"NALANDA_TASK_QUEUE=\xff")
    ended = nalanda(command, folder=tmp_path)
    assert ended.returncode == 1
    assert ended.stderr == "nalanda: .env can't be read: it is not UTF-8 text.\n"


def test_an_env_file_without_permission_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> object:
        raise PermissionError(errno.EACCES, "Permission denied", ".env")

    (tmp_path / ".env").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pydantic_settings.sources.providers.dotenv.dotenv_values", refused)
    with pytest.raises(SettingsError, match=r"\.env can't be read: Permission denied\."):
        Settings()


def test_a_file_system_without_locks_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(StorageError, match=r"can't be locked: No locks available\. Choose one on"):
        DataDirLock(tmp_path)
    with pytest.raises(StorageError, match="can't be locked"), lock.lock_directory(tmp_path):
        pass


def test_a_data_directory_in_use_is_one_line(tmp_path: Path) -> None:
    with open_core(Settings(data_dir=tmp_path)):
        command = [sys.executable, "-m", "cli", "serve", "--port", "0", "--data", str(tmp_path)]
        ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert str(tmp_path) in line
    assert str(os.getpid()) in line


async def test_a_temporal_server_alone_keeps_its_file_to_itself(tmp_path: Path) -> None:
    port = free_port()
    address = f"127.0.0.1:{port}"
    arguments = ("temporal", "--port", str(port), "--ui-port", str(free_port()))
    command = (sys.executable, "-m", "cli", *arguments, "--data", str(tmp_path / "data"))
    log = LogFile(tmp_path / "log")
    check = health.temporal(address, "default")
    server = Child(Service("temporal", command, check, grace_s=60), log)
    await server.start()
    try:
        assert (tmp_path / "data" / "temporal.db").exists()
        second = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
        _, said = await second.communicate()
        assert second.returncode == 1
        assert b"in use by another local Temporal server" in said
    finally:
        assert await server.stop()
        log.close()
