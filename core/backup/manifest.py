"""The manifest of a backup, a JSON file next to the backup's own."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from core.domain.errors import StorageError

FORMAT = 1


class Kind(StrEnum):
    FULL = "full"
    INCREMENTAL = "incremental"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of one backup; `start` and `end` are positions.

    A full backup has the state at `end`, and its `start` is the same. An incremental one leads
    from the state at `start` to each later one, up to `end`.

    `schema`: the number of migrations of the tables. `end_at`: the commit time of `end`, `None`
    if the log no longer had it. Times are RFC 3339 in UTC, with microseconds. `sha256` and
    `size_bytes` are those of `file`.
    """

    database_id: str
    kind: Kind
    start: int
    end: int
    end_at: str | None
    taken_at: str
    schema: int
    file: str
    size_bytes: int
    sha256: str

    @property
    def full(self) -> bool:
        return self.kind is Kind.FULL

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, source: str) -> Self:
        """Parse a manifest; `source` is its file, for the error's text.

        Raises:
            StorageError: the manifest is damaged, or newer than this program.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            if (format_ := fields.pop("format")) > FORMAT:
                raise StorageError(f"A newer Nalanda has written {source} (format {format_}).")
            return cls(**{**fields, "kind": Kind(fields["kind"])})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StorageError(f"{source} is damaged: it is no manifest of a backup.") from error


def stem_of(kind: Kind, start: int, end: int) -> str:
    """Return a file name without its suffix; names sort in order of `end`."""
    return f"{end:012d}-full" if kind is Kind.FULL else f"{end:012d}-from-{start:012d}"
