"""An ingestion that was cancelled, as the record has it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class CancelledIngestion:
    """A cancelled ingestion into a library, whose writes are refused; `id` is its workflow's."""

    kind: ClassVar[str] = "cancelled_ingestion"

    id: str
    library_id: str
    cancelled_at: datetime
