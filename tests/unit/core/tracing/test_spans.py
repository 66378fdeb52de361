"""Spans: what is recorded, and what is not."""

import subprocess
import sys
import time

import pytest
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode

from core.tracing import conventions, spans
from core.tracing.spans import CompletedSpan
from tests.spans import attributes_of, id_of, record_spans, registry, trace_of

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
SECRET = "the text of a user"


def test_nothing_is_recorded_while_tracing_is_off() -> None:
    assert not spans.is_on()
    assert spans.trace_headers() == {}
    with spans.span("a") as current:
        current.set("b", 1)
        current.rename("c")
        current.fail("d")
    spans.record(CompletedSpan("a", "client", {}, 1, 2, 3))
    spans.flush(0)


def test_no_process_loads_the_sdk_while_tracing_is_off() -> None:
    program = (
        "import sys, api.main, worker.main, cli.commands.serve, nalanda\n"
        "from core.tracing.exporting import start_tracing\n"
        "start_tracing('nalanda-api')\n"
        "sys.exit('opentelemetry.sdk' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_spans_are_nested() -> None:
    with record_spans() as recorded:
        with spans.span("outer", "server", {"db.system.name": "x"}) as outer:
            outer.set("db.operation.name", "y")
            outer.rename("renamed")
            with spans.span("inner", "client"):
                pass
        inner, renamed = recorded.all
    assert (inner.name, inner.kind) == ("inner", SpanKind.CLIENT)
    assert (renamed.name, renamed.kind) == ("renamed", SpanKind.SERVER)
    assert inner.parent is not None
    assert inner.parent.span_id == id_of(renamed)
    assert attributes_of(renamed) == {"db.system.name": "x", "db.operation.name": "y"}
    assert not spans.is_on()


def test_the_trace_of_a_sender_goes_on() -> None:
    with record_spans() as recorded, spans.span("a", parent=TRACEPARENT):
        sent = spans.trace_headers()["traceparent"]
    span = recorded.one("a")
    assert f"{trace_of(span):032x}" == TRACE
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == PARENT
    assert sent == f"00-{TRACE}-{id_of(span):016x}-01"


@pytest.mark.parametrize("malformed", [{}, {"traceparent": "00-0-0-01"}, {"traceparent": "é" * 99}])
def test_a_malformed_parent_begins_a_trace(malformed: dict[str, str]) -> None:
    with record_spans() as recorded, spans.span("outer"), spans.span("a", parent=malformed):
        pass
    assert recorded.one("a").parent is None


def test_a_sender_that_is_not_sampled_is_not_recorded() -> None:
    parent = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    with record_spans() as recorded, spans.span("a", parent=parent):
        assert spans.trace_headers()["traceparent"].endswith("-00")
        spans.record(CompletedSpan("b", "client", parent, 7, 1, 2))
    assert recorded.all == ()


def test_an_error_has_its_type_alone() -> None:
    with record_spans() as recorded, pytest.raises(KeyError), spans.span("a"):
        raise KeyError(SECRET)
    span = recorded.one("a")
    assert attributes_of(span) == {"error.type": "KeyError"}
    assert span.status.status_code is StatusCode.ERROR
    assert SECRET not in recorded.content


def test_the_first_type_of_an_error_stays() -> None:
    with record_spans() as recorded, spans.span("a") as current:
        current.fail("Refused")
        current.fail("KeyError")
    assert attributes_of(recorded.one("a")) == {"error.type": "Refused"}


def test_a_completed_span_has_its_own_id_and_times() -> None:
    completed = CompletedSpan("a", "client", TRACEPARENT, 77, 1_000, 3_000, {"a": 1}, "Lost")
    with record_spans() as recorded:
        spans.record(completed)
        with spans.span("another"):
            pass
    span = recorded.one("a")
    assert (id_of(span), f"{trace_of(span):032x}") == (77, TRACE)
    assert (span.start_time, span.end_time) == (1_000, 3_000)
    assert attributes_of(span) == {"a": 1, "error.type": "Lost"}
    assert id_of(recorded.one("another")) != 77


def test_a_flush_does_not_wait_for_long() -> None:
    with record_spans():
        began = time.monotonic()
        spans.flush(60)
    assert time.monotonic() - began < 60


def test_the_conventions_are_those_of_the_pinned_version() -> None:
    assert Schemas.V1_44_0.value == conventions.SCHEMA_URL
    names = {
        value
        for constant, value in vars(conventions).items()
        if constant.isupper() and constant != "SCHEMA_URL"
    }
    own = {conventions.WORKFLOW_ID, conventions.RUN_ID, conventions.ACTIVITY_ID}
    assert names - registry() == own
