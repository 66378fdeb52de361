"""`nalanda serve` and `nalanda temporal` by themselves."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli import serve
from cli.processes import health
from cli.processes.child import Child, Service
from cli.processes.logs import LogFile
from core.bootstrap import open_core
from core.settings import Settings
from tests.temporal import free_port


def test_a_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(typer.Exit) as ended:
            serve.serve("127.0.0.1", port)
    assert ended.value.exit_code == 1
    said = f"Port {port} of 127.0.0.1 is taken. Choose another with --port.\n"
    assert capsys.readouterr().err == said


def test_an_address_that_is_not_ours_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        serve.serve("192.0.2.1", 8000)  # RFC 5737: nobody has it
    assert len(capsys.readouterr().err.splitlines()) == 1


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
    server = Child(Service("temporal", command, health.temporal(address, "default")), log)
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
