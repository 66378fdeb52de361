"""The readers of a server: started, started again when they end, and stopped before the writer."""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from api.server.dealing import Dealer
from cli.processes.supervision.child import LAUNCHER, describe_exit
from core.settings import Settings

AGAIN_S = 1.0
"""The time after which a reader that ended is started again."""

GRACE_S = 5.0
"""The time beyond the drain of requests after which a reader is killed."""

_log = logging.getLogger(__name__)


class Readers:
    """The processes that serve connections of this one's socket, and follow its log.

    `dealer`: deals them connections. `writer_url`: where this process takes their writes.
    """

    def __init__(
        self,
        count: int,
        dealer: Dealer,
        writer_url: str,
        hosts: Sequence[str],
        settings: Settings,
    ) -> None:
        self._dealer = dealer
        self._arguments = (writer_url, *hosts)
        self._environment = {"NALANDA_DATA_DIR": str(settings.data_dir.absolute())}
        self._drain_s = settings.drain_s
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # Guarded by `_lock`: the processes, and the ends of pipes that close with this one.
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._lifelines: dict[int, int] = {}
        # The kernel ends a reader with the thread that started it, so each has one of its own.
        self._keepers = [
            threading.Thread(
                target=self._keep, args=(number,), name=f"reader-{number}", daemon=True
            )
            for number in range(1, count + 1)
        ]

    def start(self) -> None:
        for keeper in self._keepers:
            keeper.start()

    def stop(self) -> None:
        """Ask the readers to stop, and wait for them; kill those that take too long."""
        with self._lock:
            self._stopping.set()
            processes = list(self._processes.values())
        self._dealer.withdraw()
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + self._drain_s + GRACE_S
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            process.kill()

    def _keep(self, number: int) -> None:
        while True:
            process = self._start(number)
            if process is None:
                return
            status = process.wait()
            os.close(self._lifelines.pop(number))
            if self._stopping.is_set():
                return
            _log.warning(
                "Reader %d ended (%s) and is started again.", number, describe_exit(status)
            )
            if self._stopping.wait(AGAIN_S):
                return

    def _start(self, number: int) -> subprocess.Popen[bytes] | None:
        """Start a reader that ends with this process; `None` once the readers are stopping."""
        with self._lock:
            if self._stopping.is_set():
                return None
            ours, theirs = socket.socketpair()
            channel = str(theirs.fileno())
            command = (sys.executable, "-P", "-m", "cli.processes.reader", str(number), channel)
            lifeline, self._lifelines[number] = os.pipe()
            process = subprocess.Popen(  # noqa: S603  # the command is this program's own
                [
                    *(sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(lifeline)),
                    *command,
                    *self._arguments,
                ],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self._environment},
                pass_fds=[lifeline, theirs.fileno()],
                process_group=0,  # a Ctrl-C of the terminal is for the writer, which stops them
            )
            self._processes[number] = process
        os.close(lifeline)
        theirs.close()
        self._dealer.offer(ours)
        return process
