"""Several stacks that want one port: each gets its own, and no data is mixed up.

`NALANDA_STACK_ROUNDS=20` repeats each start 20 times.
"""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from nalanda import Nalanda
from tests.e2e.stack import NALANDA
from tests.temporal import free_port
from tests.waiting import until

ROUNDS = int(os.environ.get("NALANDA_STACK_ROUNDS", "1"))
READY = "Ctrl-C stops everything."
START_S = 180.0


class Up:
    """A `nalanda up` process with its output in a file in `folder`."""

    def __init__(self, folder: Path, port: int) -> None:
        self._log = folder / "output"
        self._environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("NALANDA_", "CO_API"))
        }
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [NALANDA, "up", "--port", str(port), "--data", str(folder / "data")],
                env=self._environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def is_settled(self) -> bool:
        return READY in self.output or self.process.poll() is not None

    def library_list(self) -> str:
        """Return the output of a command that knows only its data directory."""
        command = [NALANDA, "library", "list"]
        environment = {**self._environment, "NALANDA_DATA_DIR": str(self._log.parent / "data")}
        return subprocess.check_output(command, env=environment, cwd=self._log.parent, text=True)

    def place(self, name: str) -> str:
        """Return the printed address of a part."""
        match = re.search(rf"^  {name} +(\S+)$", self.output, re.MULTILINE)
        assert match is not None, self.output
        return match[1]


@contextmanager
def start_stacks(folder: Path, count: int, port: int) -> Iterator[list[Up]]:
    """Start stacks at once with the same port; yield once each is ready or has ended."""
    folders = [folder / str(number) for number in range(count)]
    for each in folders:
        each.mkdir(parents=True)
    with ExitStack() as processes:
        ups = [Up(each, port) for each in folders]
        for up in ups:
            processes.callback(up.process.wait, 60)
            processes.callback(up.process.send_signal, signal.SIGTERM)
        until(lambda: all(up.is_settled() for up in ups), START_S)
        yield ups


@pytest.mark.parametrize("attempt", range(ROUNDS))
@pytest.mark.parametrize("count", [2, 5])
def test_each_has_ports_and_data_of_its_own(count: int, attempt: int, tmp_path: Path) -> None:
    with start_stacks(tmp_path, count, free_port()) as ups:
        for up in ups:
            assert up.process.poll() is None, up.output
        for part in ("API", "Temporal", "Temporal UI"):
            assert len({up.place(part) for up in ups}) == count
        for number, up in enumerate(ups):
            with Nalanda(up.place("API"), timeout_s=60) as client:
                client.libraries.create(f"of-{number}")
        for number, up in enumerate(ups):
            with Nalanda(up.place("API"), timeout_s=60) as client:
                assert [library.name for library in client.libraries.list()] == [f"of-{number}"]
            assert f"of-{number}" in up.library_list()
    assert [up.process.returncode for up in ups] == [0] * count


def api_process(up: Up) -> int | None:
    """Return the id of the API's process, or `None`."""
    for child in psutil.Process(up.process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if "serve" in child.cmdline():
                process: int = child.pid
                return process
    return None


def test_a_port_stays_with_its_stack_when_the_api_dies(tmp_path: Path) -> None:
    with start_stacks(tmp_path, 1, free_port()) as (up,):
        killed = api_process(up)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda: api_process(up) != killed, 60)
        port = int(up.place("API").rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port)).close()
        until(lambda: "api is running again" in up.output, 60)
        with Nalanda(up.place("API"), timeout_s=60) as client:
            client.libraries.create("still-here")


def test_a_second_stack_on_one_data_directory_ends_with_one_line(tmp_path: Path) -> None:
    with start_stacks(tmp_path, 1, free_port()) as (up,):
        command: Sequence[str] = (NALANDA, "up", "--data", str(tmp_path / "0" / "data"))
        second = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert up.process.poll() is None
    assert second.returncode == 1
    (line,) = second.stderr.splitlines()
    assert str(up.process.pid) in line
