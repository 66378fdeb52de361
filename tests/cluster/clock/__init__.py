"""Wall clocks of processes, which jump while the steady clocks go on."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

_SOURCE = Path(__file__).with_name("jump.c")
_OFFSET = "NALANDA_TEST_CLOCK"


class WallClock:
    """The wall clock of the processes that have its environment; it is set by a file."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self._file.write_bytes(bytes(8))
        self._file.chmod(0o644)
        self.environment: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            _OFFSET: str(self._file),
        }

    def set_ahead(self, seconds: int) -> None:
        """Let the clock jump to some seconds ahead of the true time, or behind it."""
        with self._file.open("r+b") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))


def build_library(folder: Path) -> Path:
    """Compile the library that a process with a `WallClock` loads.

    Raises:
        FileNotFoundError: there is no C compiler `cc`.
    """
    library = folder / "jump.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, _SOURCE], check=True)
    library.chmod(0o755)
    return library
