"""Uploads of files as `multipart/form-data`."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartParser

from nalanda import InvalidType, InvalidValue
from tests.unit.sdk.script import HANDLE, Script, ok, problem

FILES = {"file:///a.md": b"# A", "b/\xfcber.pdf": b"%PDF\xff\x00"}


async def parts(request: httpx.Request) -> list[tuple[str, str | None, str | None, bytes]]:
    """Return the name, file name, media type and content of each part."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield request.content

    parser = MultiPartParser(Headers(request.headers), stream())
    form = await parser.parse()
    found: list[tuple[str, str | None, str | None, bytes]] = []
    for name, part in form.multi_items():
        if isinstance(part, str):
            found.append((name, None, None, part.encode()))
        else:
            found.append((name, part.filename, part.content_type, await part.read()))
            await part.close()
    return found


async def test_files_are_parts_and_options_are_json() -> None:
    script = Script(problem(503, retry_after="0"), ok(HANDLE, status=202))
    with script.client() as client:
        handle = client.ingestions.start_upload("l1", FILES, metadata={"year": 400})
    assert handle.workflow_id == "q1"
    assert (script.last.method, script.last.url.path) == ("POST", "/libraries/l1/ingest")
    first, second = [await parts(request) for request in script.requests]
    binary = "application/octet-stream"
    assert second == [
        *(("file", source, binary, content) for source, content in FILES.items()),
        ("options", None, None, b'{"metadata":{"year":400}}'),
    ]
    assert first == second
    keys = {request.headers["Idempotency-Key"] for request in script.requests}
    assert len(keys) == 1


async def test_the_asynchronous_client_uploads() -> None:
    script = Script(ok(HANDLE, status=202))
    async with script.async_client() as client:
        await client.ingestions.start_upload("l1", {"a.md": b"# A"}, prune_under="a/")
    assert await parts(script.last) == [
        ("file", "a.md", "application/octet-stream", b"# A"),
        ("options", None, None, b'{"prune_under":"a/"}'),
    ]


@pytest.mark.parametrize(
    ("files", "error"),
    [({"a.md": "text"}, InvalidType), ({'"a".md': b"text"}, InvalidValue)],
)
def test_what_no_part_carries_is_refused(files: dict[str, bytes], error: type[Exception]) -> None:
    script = Script(ok(HANDLE))
    with script.client() as client, pytest.raises(error):
        client.ingestions.start_upload("l1", files)
    assert script.requests == []
