"""The client passes the trace of its program on, if the program has one."""

import subprocess
import sys

import httpx
from opentelemetry import trace
from opentelemetry.baggage import set_baggage
from opentelemetry.context import attach, detach
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span

from nalanda import AsyncNalanda, Nalanda
from nalanda._tracing import trace_headers

LIBRARIES: dict[str, object] = {"items": [], "next_cursor": None}
CURRENT = NonRecordingSpan(SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(1)))


def transport(seen: list[str | None]) -> httpx.MockTransport:
    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("traceparent"))
        return httpx.Response(200, json=LIBRARIES)

    return httpx.MockTransport(respond)


def test_the_current_trace_goes_on() -> None:
    seen: list[str | None] = []
    with Nalanda("http://nalanda", transport=transport(seen)) as client:
        with use_span(CURRENT):
            list(client.libraries.list())
        list(client.libraries.list())
    assert seen == [f"00-{0xABC:032x}-{0xDEF:016x}-01", None]


async def test_the_current_trace_of_a_task_goes_on() -> None:
    seen: list[str | None] = []
    async with AsyncNalanda("http://nalanda", transport=transport(seen)) as client:
        with trace.use_span(CURRENT):
            assert [library async for library in client.libraries.list()] == []
    assert seen == [f"00-{0xABC:032x}-{0xDEF:016x}-01"]


def test_baggage_stays_in_the_program() -> None:
    token = attach(set_baggage("user", "Xanadu"))
    try:
        with use_span(CURRENT):
            assert list(trace_headers()) == ["traceparent"]
    finally:
        detach(token)


def test_opentelemetry_is_not_loaded_for_it() -> None:
    program = (
        "import sys, nalanda\n"
        "from nalanda._tracing import trace_headers\n"
        "assert trace_headers() == {}\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_the_client_works_without_it() -> None:
    program = "import sys; sys.modules['opentelemetry'] = None; import nalanda"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
