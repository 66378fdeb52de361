"""Translation of a server's refusal into the terms of the imported file."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cli.transfer.records import Origin
from cli.transfer.staging import StagedChunk, StagedDocument
from core.domain.errors import StorageError
from nalanda import (
    ApiError,
    BadRequestError,
    ConflictError,
    PayloadTooLargeError,
    ValidationError,
)

_REFUSALS = (BadRequestError, ConflictError, PayloadTooLargeError, ValidationError)
_OF_CHUNK = re.compile(r"/chunks/(\d+)/?(.*)", re.DOTALL)


@contextmanager
def name_refusal(
    origin: Origin, document: StagedDocument, chunks: Sequence[StagedChunk]
) -> Iterator[None]:
    """Name the row or line of a document with these chunks that the server refuses.

    Raises:
        StorageError: the server refuses the document or a chunk.
    """
    try:
        yield
    except _REFUSALS as error:
        raise _refusal(origin, document, chunks, error) from error


def settings_refusal(origin: Origin, error: ApiError) -> StorageError:
    """Return the error for refused library settings."""
    faults = [f"{fault.pointer.lstrip('/')}: {fault.detail}" for fault in error.errors]
    return StorageError(
        f"{origin.path}: the server refuses the library's settings in {origin.header}: "
        f"{'; '.join(faults) or error.detail or error}"
    )


def _refusal(
    origin: Origin, document: StagedDocument, chunks: Sequence[StagedChunk], error: ApiError
) -> StorageError:
    detail = error.detail or str(error)
    for fault in error.errors:
        match = _OF_CHUNK.fullmatch(fault.pointer)
        if match is None:
            field = origin.document_prefix + fault.pointer.lstrip("/")
            return origin.fault(document.number, field, fault.detail)
        index = int(match[1])
        if index < len(chunks):
            return origin.fault(chunks[index].number, match[2] or "text", fault.detail)
    for chunk in chunks:  # a conflict's detail names an id
        if chunk.record.id is not None and repr(chunk.record.id) in detail:
            return origin.fault(chunk.number, "id", f"{detail} Choose another id.")
    if len(chunks) > 1:
        unit = f"{origin.unit}s {chunks[0].number} to {chunks[-1].number}"
        return StorageError(f"{origin.path}: {unit}: {detail}")
    number = chunks[0].number if chunks else document.number
    return origin.fault(number, "text" if chunks else "metadata", detail)
