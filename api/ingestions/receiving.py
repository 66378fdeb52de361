"""Receipt of an ingestion's files: from an upload or from JSON into the store of uploads."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.http.bodies.json import json_or_other_body, parse
from api.http.errors import MAX_FAULTS
from api.http.openapi import MULTIPART
from api.ingestions.multipart import read_form
from api.ingestions.naming import name_file
from api.wire.ingestions import IngestionItem, IngestionOptions, IngestionRequest
from core.contracts.ingest import Manifest, ManifestItem
from core.domain.errors import Fault, Invalid
from core.domain.pointers import join
from core.ports.uploads import UploadStore


@dataclass(frozen=True, slots=True)
class ReceivedFiles:
    manifest: Manifest
    prune_under: str | None


async def receive_files(request: Request, uploads: UploadStore) -> ReceivedFiles:
    """Keep the files of a request.

    Raises:
        HTTPException: 400 or 415, the body is neither JSON nor an upload.
        Invalid: the body breaks a rule.
        StorageError: there is no room, or the disk fails.
    """
    body = await json_or_other_body(request, MULTIPART)
    if body is None:
        return await _receive_upload(request, uploads)
    return await run_in_threadpool(_keep_items, body, uploads)


async def _receive_upload(request: Request, uploads: UploadStore) -> ReceivedFiles:
    form = await read_form(request, uploads)
    if not form.files:
        raise Invalid.at("/file", "An upload has at least one part with the name file.")
    options = IngestionOptions()
    if form.options is not None:
        options = _parse_options(form.options)
    _check_sources((file.source for file in form.files), "/file", "")
    items = [
        ManifestItem(
            source=file.source,
            sha256=file.sha256,
            media_type=file.media_type,
            metadata=options.metadata,
        )
        for file in form.files
    ]
    return ReceivedFiles(Manifest(items=items), options.prune_under)


def _parse_options(body: bytes) -> IngestionOptions:
    try:
        return parse(IngestionOptions, body)
    except Invalid as invalid:
        faults = [Fault(f"/options{fault.pointer}", fault.detail) for fault in invalid.faults]
        raise Invalid(faults) from None


def _keep_items(body: bytes, uploads: UploadStore) -> ReceivedFiles:
    request = parse(IngestionRequest, body)
    _check_sources((item.source for item in request.items), "/items", "/source")
    contents = _contents(request.items)
    items = [
        ManifestItem(
            source=item.source,
            sha256=_keep(uploads, item.source, content),
            title=item.title,
            media_type=item.media_type,
            metadata=item.metadata,
        )
        for item, content in zip(request.items, contents, strict=True)
    ]
    return ReceivedFiles(Manifest(items=items), request.prune_under)


def _keep(uploads: UploadStore, source: str, content: bytes) -> str:
    """Keep a file's content, and return its hash.

    Raises:
        StorageError: there is no room for the file, or the disk fails.
    """
    with name_file(source):
        return uploads.put(content)


def _contents(items: Iterable[IngestionItem]) -> list[bytes]:
    contents: list[bytes] = []
    faults: list[Fault] = []
    for i, item in enumerate(items):
        content = item.content()
        if content is None:
            pointer = join("/items", i, "content_base64")
            faults.append(Fault(pointer, "This must be base64 (RFC 4648, section 4)."))
        else:
            contents.append(content)
    if faults:
        raise Invalid(faults)
    return contents


def _check_sources(sources: Iterable[str], above: str, below: str) -> None:
    """Check that each file has a source of its own.

    Raises:
        Invalid: two files have the same source.
    """
    seen: Counter[str] = Counter()
    faults: list[Fault] = []
    for i, source in enumerate(sources):
        seen[source] += 1
        if seen[source] > 1:
            faults.append(Fault(join(above, i) + below, f"The source {source!r} comes twice."))
    if faults:
        raise Invalid(faults[:MAX_FAULTS])
