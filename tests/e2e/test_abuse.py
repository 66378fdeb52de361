"""A server under abuse: it keeps responding, refuses in few bytes, and frees memory."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.http.errors import MAX_PROBLEM_BYTES
from tests.e2e.pulse import pulse
from tests.e2e.stack import Stack
from tests.waiting import until

LIVEZ_S = 0.25
_CHUNKS = "/libraries/l/documents/d/chunks"
_SEARCH = "/libraries/l/search"
_JSON = {"Content-Type": "application/json"}


def _keys(count: int) -> bytes:
    return b"{" + b",".join(b'"k%d":1' % n for n in range(count)) + b"}"


def _chunk(value: bytes) -> bytes:
    return b'{"chunks":[{"text":"t","embedding":[1,0],"metadata":{"m":' + value + b"}}]}"


ABUSE: dict[str, tuple[str, str, bytes]] = {
    "items": ("POST", _CHUNKS, b'{"chunks":[' + b'{"q":1},' * 7_000_000 + b"{}]}"),
    "unknown keys": ("POST", _SEARCH, _keys(500_000)),
    "integers in metadata": (
        "POST",
        _CHUNKS,
        b'{"chunks":[{"text":"t","embedding":[1,0],"metadata":{"n":['
        + b"1," * 3_000_000
        + b"1]}}]}",
    ),
    "a name of dots": (
        "POST",
        _SEARCH,
        b'{"embedding":[1,0],"filter":{"field":"' + b"." * 1_000_000 + b'","op":"eq","value":1}}',
    ),
    "a long path": ("GET", "/" + "x" * 60_000, b""),
    "a long name": ("POST", "/libraries", b'{"name":"' + b"n" * 10_000_000 + b'"}'),
    "a long question": (
        "POST",
        "/query",
        b'{"library":"l","question":"' + b"q" * 10_000_000 + b'"}',
    ),
    "a long string": ("POST", _CHUNKS, _chunk(b'"' + b"s" * 60_000_000 + b'"')),
    "a long escaped string": ("POST", _CHUNKS, _chunk(b'"' + rb"\u0041" * 9_000_000 + b'"')),
    "a long number": ("POST", _CHUNKS, _chunk(b"1" * 60_000_000)),
    "white space": ("POST", _CHUNKS, _chunk(b" " * 60_000_000)),
    "white space at the end": ("POST", _CHUNKS, _chunk(b"1") + b" " * 60_000_000),
    "no JSON at all": ("POST", _CHUNKS, b"x" * 60_000_000),
    "a long base64 embedding": (
        "POST",
        _CHUNKS,
        b'{"chunks":[{"text":"t","embedding":"' + b"A" * 40_000_000 + b'"}]}',
    ),
    "a long embedding": (
        "POST",
        _CHUNKS,
        b'{"chunks":[{"text":"t","embedding":[' + b"1," * 20_000_000 + b"1]}]}",
    ),
    "a long text": ("POST", _CHUNKS, b'{"chunks":[{"text":"' + b"t" * 60_000_000 + b'"}]}'),
    "deep nesting": ("POST", _CHUNKS, _chunk(b"[" * 30_000_000)),
    "integers in a patch": (
        "PATCH",
        "/libraries/l/documents/d",
        b'{"metadata":{"n":[' + b"1," * 3_000_000 + b"1]}}",
    ),
    "keys in a patch": ("PATCH", "/libraries/l/documents/d", _keys(3_000_000)),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("abuse")) as stack:
        stack.start("api")
        with httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False) as http:
            http.put("/libraries/l", json={"name": "l", "dimension": 2}).raise_for_status()
            http.put("/libraries/l/documents/d", json={"title": "t"}).raise_for_status()
            until(lambda: http.get("/readyz").json()["checks"]["kernels"] == "ok", 600)
        yield stack


@pytest.mark.parametrize(("method", "path", "body"), ABUSE.values(), ids=ABUSE.keys())
def test_abuse_holds_up_no_one(stack: Stack, method: str, path: str, body: bytes) -> None:
    before = _memory_bytes(stack)
    with (
        httpx.Client(base_url=stack.api_url, timeout=60, trust_env=False) as http,
        pulse(stack.api_url, stack.pid("api")) as longest_s,
    ):
        refused = http.request(method, path, content=body, headers=_JSON)
    assert refused.status_code in {400, 414, 422}
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert len(refused.content) <= MAX_PROBLEM_BYTES
    assert longest_s[0] < LIVEZ_S
    until(lambda: _memory_bytes(stack) <= 1.3 * before, 30)


def _memory_bytes(stack: Stack) -> int:
    status = Path(f"/proc/{stack.pid('api')}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) * 1024
