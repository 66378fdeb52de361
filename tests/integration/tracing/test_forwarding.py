"""A request that a node passes on: the next node's span is below this node's."""

import httpx
from starlette.types import Message

from api.http.forwarding import Connections
from core.tracing import spans
from tests.model_server import ModelServer, Reply, as_json
from tests.spans import RecordedSpans, id_of, trace_of
from tests.unit.core.tracing.test_spans import TRACE, TRACEPARENT


class NextNode(ModelServer):
    """The node to which requests are passed on."""

    def respond(self, path: str, authorization: str | None, body: object) -> Reply:
        return as_json({})


async def receive() -> Message:
    return {"type": "http.request", "body": b"{}", "more_body": False}


async def pass_on(node: NextNode) -> dict[str, str]:
    """Pass a request of a traced client on; return the headers that the next node gets."""
    headers = [(name.encode(), value.encode()) for name, value in TRACEPARENT.items()]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/query",
        "raw_path": b"/query",
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", b"2"), *headers],
    }
    connections = Connections()
    response: httpx.Response = await connections.request(node.url, scope, receive)
    await response.aclose()
    await connections.close()
    return {name.lower(): value for name, value in node.received[-1].headers.items()}


async def test_the_trace_goes_on_from_this_node(recorded: RecordedSpans) -> None:
    with NextNode() as node, spans.span("POST /query", "server", parent=TRACEPARENT):
        headers = await pass_on(node)
    span = recorded.one("POST /query")
    assert headers["traceparent"] == f"00-{TRACE}-{id_of(span):016x}-01"
    assert f"{trace_of(span):032x}" == TRACE


async def test_without_tracing_the_client_s_header_is_passed_on() -> None:
    with NextNode() as node:
        assert (await pass_on(node))["traceparent"] == TRACEPARENT["traceparent"]
