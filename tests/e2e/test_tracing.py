"""Traces of a real stack, as a collector receives them."""

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cohere_server import CohereServer
from tests.collector import CollectedSpan, Collector, hanging_collector
from tests.e2e.stack import Stack
from tests.e2e.traces import CLIENT_SPAN, KEY, QUESTION, TEXTS, ask, fill, traced
from tests.model_server import Fault, held
from tests.spans import check_conventions
from tests.waiting import until

CHUNKS = "GET /libraries/{library_id}/chunks"
DOCUMENTS = "GET /libraries/{library_id}/documents"
SEARCH = "POST /libraries/{library_id}/search"
TOKENS = "POST /query/{workflow_id}/tokens"
START, RUN = "StartWorkflow:QueryWorkflow", "RunWorkflow:QueryWorkflow"

TREE = {
    ("POST /query", None),
    (START, "POST /query"),
    (RUN, START),
    *((f"StartActivity:{stage}", RUN) for stage in ("preprocess", "retrieve", "rerank", "answer")),
    ("RunActivity:preprocess", "StartActivity:preprocess"),
    ("embeddings embed-v4.0", "RunActivity:preprocess"),
    ("RunActivity:retrieve", "StartActivity:retrieve"),
    (SEARCH, "RunActivity:retrieve"),
    ("search", SEARCH),
    ("RunActivity:rerank", "StartActivity:rerank"),
    (CHUNKS, "RunActivity:rerank"),
    ("rerank rerank-v4.0-fast", "RunActivity:rerank"),
    ("RunActivity:answer", "StartActivity:answer"),
    (CHUNKS, "RunActivity:answer"),
    (DOCUMENTS, "RunActivity:answer"),
    ("chat command-a-03-2025", "RunActivity:answer"),
}
"""Each span of a question with its parent; that of the request is the client's."""


def spans_of(collector: Collector, trace_id: str) -> list[CollectedSpan]:
    """Wait for the last spans of a question, and return all that it has."""
    until(lambda: {name for name, _ in TREE} <= {each.name for each in collector.of(trace_id)})
    return collector.of(trace_id)


def edges(spans: list[CollectedSpan]) -> list[tuple[str, str | None]]:
    names = {span.span_id: span.name for span in spans}
    return [(span.name, names.get(span.parent_id)) for span in spans]


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with Collector() as running:
        yield running


@pytest.fixture(scope="module")
def provider() -> Iterator[CohereServer]:
    with CohereServer() as running:
        yield running


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, collector: Collector, provider: CohereServer
) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("traced")) as running:
        traced(running, provider, collector.url)
        running.start_all()
        with running.client() as client:
            fill(client)
        yield running


def test_a_question_is_one_tree(stack: Stack, collector: Collector) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    response = ask(stack, trace_id)
    assert response.status_code == 200, response.text
    assert response.json()["answer"]
    spans = spans_of(collector, trace_id)
    assert sorted(edges(spans), key=str) == sorted(TREE, key=str)
    by_name = {span.name: span for span in spans}
    assert by_name["POST /query"].parent_id == CLIENT_SPAN
    for span in spans:
        check_conventions(span.name, span.attributes)
        assert not span.failed
        assert span.start_ns <= span.end_ns
        of_worker = span.name.startswith(("Run", "StartActivity", "embed", "rerank", "chat"))
        assert span.service == ("nalanda-worker" if of_worker else "nalanda-api")
    sent = b"".join(collector.bodies)
    for secret in (QUESTION, KEY, *TEXTS):
        assert secret.encode() not in sent


def test_a_killed_worker_leaves_one_tree(
    stack: Stack, collector: Collector, provider: CohereServer
) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319d"
    release = threading.Event()
    before = len(provider.received)
    provider.fail_next(Fault(), times=2)  # the question is embedded, and its hits are ranked
    provider.fail_next(held(release))
    asked = ask(stack, trace_id, wait_s=None)
    assert asked.status_code == 202, asked.text
    until(lambda: len(provider.received) == before + 3)
    # A killed process loses the spans that it has not sent yet.
    until(lambda: "StartActivity:rerank" in {span.name for span in collector.of(trace_id)})
    stack.kill("worker")
    release.set()
    stack.start("worker")
    spans = spans_of(collector, trace_id)
    found, whole = Counter(edges(spans)), Counter(TREE)
    assert whole - found == Counter()
    # Nothing is recorded twice by the replay. The killed attempt could not end its own span, to
    # which the API's spans of its reads belong. The second one has readers drop the tokens.
    of_attempts = [(CHUNKS, None), (DOCUMENTS, None), (TOKENS, "RunActivity:answer")]
    assert found - whole == Counter(of_attempts)
    [stage] = [span for span in spans if span.name == "StartActivity:answer"]
    [attempt] = [span for span in spans if span.name == "RunActivity:answer"]
    assert stage.start_ns < attempt.start_ns


def test_a_collector_that_hangs_holds_nothing_up(tmp_path: Path, provider: CohereServer) -> None:
    with hanging_collector() as url, Stack(tmp_path) as stack:
        traced(stack, provider, url)
        for part in ("api", "worker"):
            # Longer than the test would wait for the end of a process.
            stack.environments[part] = {
                **stack.environments[part],
                "OTEL_EXPORTER_OTLP_TIMEOUT": "3600",
            }
        stack.start_all()
        with stack.client() as client:
            fill(client)
        assert ask(stack, "0af7651916cd43dd8448eb211c80319e").status_code == 200
        assert stack.stop("worker") == 0
        stack.stop("api")
