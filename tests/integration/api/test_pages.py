"""The pages that a browser shows, and the files that they load."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from api.routes.pages import WEB
from core.settings import Settings
from tests.integration.api.calls import open_client

MAX_WEIGHT_BYTES = 300_000
_LOADED = re.compile(r'(?:src|href|from)[= ]"([^"#]+\.(?:js|css|svg))"')
_SHOWN = re.compile(r'\bt\(\s*"([^"]+)"')
_MARKED = re.compile(r"data-text>([^<]+)<")
_LABELLED = re.compile(r'aria-label="([^"]+)" data-label')
_TRANSLATED = re.compile(r'^  (?:"([^"]+)"|(\w+)):', re.MULTILINE)


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_a_page_may_load_from_this_server_alone(api: httpx.AsyncClient, path: str) -> None:
    response = await api.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = response.headers["Content-Security-Policy"]
    sources = set(re.findall(r"(?:default|script|connect|style|img)-src ([^;]+)", policy))
    assert sources <= {"'none'", "'self'", "'self' data:", "'self' 'unsafe-inline'"}
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_all_that_a_page_loads_is_served(api: httpx.AsyncClient, path: str) -> None:
    files = await load(api, path)
    assert len(files) >= 3
    if path == "/":
        assert sum(map(len, files.values())) <= MAX_WEIGHT_BYTES


async def load(api: httpx.AsyncClient, path: str) -> dict[str, bytes]:
    """Return the page's files by path, with the modules that they import."""
    files = {path: (await api.get(path)).content}
    waiting = [path]
    while waiting:
        of = waiting.pop()
        if of.startswith("/web/swagger/"):
            continue
        for name in _LOADED.findall(files[of].decode()):
            url = str(httpx.URL(f"http://t{of}").join(name).path)
            if url not in files:
                response = await api.get(url)
                assert response.status_code == 200, url
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                files[url] = response.content
                waiting.append(url)
    return files


def test_every_module_is_loaded_by_a_page() -> None:
    texts = {path: path.read_text() for path in sorted(WEB.rglob("*")) if path.is_file()}
    loaded = {Path(name).name for text in texts.values() for name in _LOADED.findall(text)}
    unused = {path.name for path in texts if path.suffix != ".html"} - loaded
    assert unused == set()


def test_each_text_is_in_each_language() -> None:
    """A text without a translation is shown in English; one that no module has is left over."""
    modules = {path: path.read_text() for path in sorted(WEB.rglob("*.js"))}
    catalogues = {path: text for path, text in modules.items() if path.parent.name == "texts"}
    index = (WEB / "index.html").read_text()
    shown = {*_MARKED.findall(index), *_LABELLED.findall(index)}
    for path in modules.keys() - catalogues.keys():
        shown |= set(_SHOWN.findall(modules[path]))
    assert catalogues
    for path, text in catalogues.items():
        translated = {quoted or plain for quoted, plain in _TRANSLATED.findall(text)}
        assert translated == shown, path


async def test_an_unchanged_file_is_not_sent_again(api: httpx.AsyncClient) -> None:
    first = await api.get("/web/main.js")
    again = await api.get("/web/main.js", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/web/nothing.js", "/web/../pyproject.toml", "/web/%2e%2e/api"])
async def test_an_unknown_file_is_a_problem(api: httpx.AsyncClient, path: str) -> None:
    response = await api.get(path)
    assert response.status_code == 404
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/docs", "/web/main.js"])
async def test_a_page_takes_no_writes(api: httpx.AsyncClient, path: str) -> None:
    response = await api.put(path)
    assert response.status_code == 405
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.fixture
async def guarded(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    changed = settings.model_copy(update={"api_keys": (SecretStr("k"),)})
    async with open_client(changed) as client:
        yield client


async def test_pages_need_no_key(guarded: httpx.AsyncClient) -> None:
    assert len(await load(guarded, "/")) > 3
    assert len(await load(guarded, "/docs")) > 3
    assert (await guarded.get("/libraries")).status_code == 401
