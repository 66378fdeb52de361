"""A shell in a terminal, typed into and recorded."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import pyte
from PIL import Image, ImageDraw

from video.drawing import INK, PAPER, STAGE, encode, font
from video.film import Clip, joined

COLUMNS, ROWS = 120, 30
_FONT_SIZE, _CELL, _MARGIN = 17, (10.25, 20), (24, 18)
_SAMPLE_S = 0.1
_KEY_S = 0.04
_PROMPT = "$ "

_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_COLORS = {
    "black": "#16181d", "red": "#f07a6e", "green": "#8fd18a", "brown": "#f0b35a",
    "blue": "#7fb2f0", "magenta": "#d09be8", "cyan": "#78d0d6", "white": INK,
    "brightblack": "#8f939c", "default": INK,
}  # fmt: skip


class Terminal:
    """A shell whose prompt is `$ `; it ends with the block, and what it started with it."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._output = ""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-i"],  # noqa: S607
            cwd=folder,
            env={**environment, "PS1": _PROMPT, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.interrupt()
        os.write(self._master, b"exit\n")
        try:
            self._shell.wait(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(self._shell.pid, signal.SIGKILL)
            self._shell.wait()

    @property
    def output(self) -> str:
        """All that was printed, with its control sequences."""
        with self._lock:
            return self._output

    def descendant(self, command: str) -> int:
        """Return the id of the process below the shell whose command line has the text.

        Raises:
            LookupError: there is none.
        """
        for process in psutil.Process(self._shell.pid).children(recursive=True):
            if command in " ".join(process.cmdline()):
                return int(process.pid)
        raise LookupError(f"No process of the terminal is {command!r}.")

    def run(self, command: str, *, until: str = "", timeout_s: float = 600) -> Clip:
        """Type a command, and record until its output has the text, or the prompt is back.

        Raises:
            TimeoutError: it does not, in this time.
        """
        typed = self.type(command)
        start = len(self.output)
        self.press_enter()

        def is_done() -> bool:
            printed = self.output[start:]
            return until in printed if until else printed.endswith(_PROMPT)

        return joined(typed, self._record(is_done, timeout_s))

    def type(self, text: str) -> Clip:
        """Record the text being typed, without Enter at its end."""
        keys = iter(text)

        def is_typed() -> bool:
            key = next(keys, None)
            os.write(self._master, (key or "").encode())
            time.sleep(_KEY_S)
            return key is None

        return self._record(is_typed, timeout_s=60)

    def press_enter(self) -> None:
        os.write(self._master, b"\n")

    def watch(self, until: str, timeout_s: float = 600) -> Clip:
        """Record until the text is printed from now on.

        Raises:
            TimeoutError: it is not, in this time.
        """
        start = len(self.output)
        return self._record(lambda: until in self.output[start:], timeout_s)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    def picture(self) -> bytes:
        """Draw the screen."""
        with self._lock:
            self._screen.dirty.clear()
            rows = [
                [self._screen.buffer[row][column] for column in range(COLUMNS)]
                for row in range(ROWS)
            ]
        picture = Image.new("RGB", STAGE, PAPER)
        draw = ImageDraw.Draw(picture)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell.data.strip():
                    self._draw(draw, row, column, cell)
        return encode(picture)

    def _draw(
        self, draw: ImageDraw.ImageDraw, row: int, column: int, cell: pyte.screens.Char
    ) -> None:
        place = _MARGIN[0] + column * _CELL[0], _MARGIN[1] + row * _CELL[1]
        color = _COLORS.get(cell.fg, f"#{cell.fg}")
        name = "DejaVuSansMono-Bold" if cell.bold else "DejaVuSansMono"
        if cell.data in _SPINNER:
            name = "DejaVuSans"  # the other one has no Braille
        draw.text(place, cell.data, font=font(_FONT_SIZE, name), fill=color)

    def _record(self, is_done: Callable[[], bool], timeout_s: float) -> Clip:
        began = time.monotonic()
        clip = [(0.0, self.picture())]
        while not is_done():
            at_s = time.monotonic() - began
            if at_s > timeout_s:
                raise TimeoutError(self.output[-2_000:])
            if self._screen.dirty:
                clip.append((at_s, self.picture()))
            time.sleep(_SAMPLE_S if at_s - clip[-1][0] else 0)
        clip.append((time.monotonic() - began, self.picture()))
        return clip

    def _read(self) -> None:
        while True:
            try:
                content = os.read(self._master, 1 << 16)
            except OSError:  # the shell has ended
                return
            with self._lock:
                self._stream.feed(content)
                self._output += content.decode(errors="replace")
