"""Counting of requests by several processes of a machine together.

It is imported before `prometheus_client`, which reads `VARIABLE` when it is imported.
"""

import os
import shutil
from pathlib import Path

from core.domain.errors import StorageError

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with the directory of the counts."""


def count_together(directory: Path) -> None:
    """Let this process and those that it starts count in an empty directory.

    Raises:
        StorageError: the directory can't be used.
    """
    try:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
    except OSError as error:
        raise StorageError(f"{directory} can't be used: {error.strerror}") from error
    os.environ[VARIABLE] = str(directory.absolute())
