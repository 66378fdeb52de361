"""The id of a node, which is its data directory's."""

import logging
import os
from pathlib import Path
from uuid import uuid4

from core.adapters import private
from core.domain.errors import Invalid, StorageError
from core.domain.ids import check_id, new_id
from core.ports.cluster import Node

NAME = "node"
"""The file's name, below the data directory."""

_log = logging.getLogger(__name__)


def node_of(data_dir: Path, address: str, version: str) -> Node:
    """Return the node of a data directory, as a new incarnation; create its id at the first call.

    Raises:
        StorageError: the id's file can't be read, or has no id.
    """
    return Node(_load_or_create(data_dir / NAME), uuid4().hex, address, version)


def _load_or_create(path: Path) -> str:
    try:
        id_ = path.read_text().strip()
    except FileNotFoundError:
        return _create(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise StorageError(f"The node's id in {path} can't be read: {reason}.") from error
    try:
        return check_id(id_, "")
    except Invalid as error:
        raise StorageError(
            f"{path} has no node id. Remove the file, and the node gets a new id."
        ) from error


def _create(path: Path) -> str:
    """Write a new id, of which a crash leaves all or nothing; on a full disk it is not kept."""
    id_ = new_id()
    draft = path.with_name(f"{NAME}.draft")
    try:
        private.create(draft)
        with draft.open("w") as file:
            file.write(f"{id_}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        _log.warning("The node's id can't be kept in %s: %s.", path, error.strerror)
    return id_
