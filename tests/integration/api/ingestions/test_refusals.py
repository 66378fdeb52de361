"""Ingestions that are refused: bad bodies, unknown things, and no Temporal."""

from typing import Any

import httpx
import pytest

from api.main import create_app
from core.settings import Settings
from tests.integration.api.calls import assert_problem
from tests.integration.api.ingestions.stack import Stack, text

BOUNDARY = {"Content-Type": "multipart/form-data; boundary=x"}


def part(name: str, content: str, filename: str | None = None) -> str:
    named = "" if filename is None else f'; filename="{filename}"'
    return f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{content}\r\n'


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"items": []}, ["/items"]),
        ({"items": [{"source": "a"}]}, ["/items/0"]),
        ({"items": [{"source": "a", "content_base64": "?"}]}, ["/items/0/content_base64"]),
        ({"items": [text("a\n", "b")]}, ["/items/0/source"]),
        ({"items": [text("a", "b"), text("a", "c")]}, ["/items/1/source"]),
        ({"items": [text("a", "b")], "prune_under": ""}, ["/prune_under"]),
        ({"items": [text("a", "b")] * 1001}, ["/items"]),
    ],
)
async def test_bad_items_are_named(idle: Stack, body: Any, pointers: list[str]) -> None:
    assert_problem(await idle.post("l", json=body), 422, *pointers)


@pytest.mark.parametrize(
    ("parts", "pointers"),
    [
        ([], ["/file"]),
        ([part("other", "a")], ["/other"]),
        ([part("file", "a")], ["/file/0"]),
        ([part("file", "a", "x"), part("file", "b", "x")], ["/file/1"]),
        ([part("file", "a", "x"), part("options", '{"prune": 1}')], ["/options/prune"]),
        ([part("options", "{}"), part("options", "{}")], ["/options"]),
    ],
)
async def test_bad_parts_are_named(idle: Stack, parts: list[str], pointers: list[str]) -> None:
    body = "".join([*parts, "--x--\r\n"])
    assert_problem(await idle.post("l", content=body, headers=BOUNDARY), 422, *pointers)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (part("file", "a", "x"), BOUNDARY, 400),
        ("--y\r\n", BOUNDARY, 400),
        ("", {"Content-Type": "multipart/form-data"}, 400),
        ("a", {"Content-Type": "text/plain"}, 415),
        ("{", {"Content-Type": "application/json"}, 400),
    ],
    ids=["cut off", "other boundary", "no boundary", "no form", "no JSON"],
)
async def test_a_malformed_upload_leaves_nothing(
    idle: Stack, body: str, headers: dict[str, str], status: int
) -> None:
    assert_problem(await idle.post("l", content=body, headers=headers), status)
    uploads = idle.settings.data_dir / "uploads"
    assert not [path for path in uploads.rglob("*") if path.name.endswith(".new")]


async def test_unknown_things_are_404(idle: Stack) -> None:
    assert_problem(await idle.post("none", json={"items": [text("a", "b")]}), 404)
    for path in ("/ingest/none", "/ingest/none/events", "/uploads/none", f"/uploads/{'a' * 64}"):
        assert_problem(await idle.http.get(path), 404)
    assert_problem(await idle.http.post("/ingest/none/cancel"), 404)


async def test_a_library_of_own_vectors_takes_no_files(idle: Stack) -> None:
    chunks = [{"text": "a", "embedding": [1, 0]}]
    await idle.http.put("/libraries/own", json={"name": "own", "dimension": 2})
    await idle.http.post("/libraries/own/documents", json={"chunks": chunks})
    assert_problem(await idle.post("own", json={"items": [text("a", "b")]}), 422, "/library_id")


async def test_without_temporal_it_is_503(settings: Settings) -> None:
    app = create_app(settings.model_copy(update={"temporal_address": "127.0.0.1:1"}))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        await client.put("/libraries/l", json={"name": "library"})
        response = await client.post("/libraries/l/ingest", json={"items": [text("a", "b")]})
        assert_problem(response, 503)
        assert response.headers["Retry-After"]
