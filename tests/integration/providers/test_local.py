"""The local provider with its real weights."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from core.domain.errors import ProviderRejected
from core.providers.base import Passage
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.embedder import LocalEmbedder
from core.providers.local.extractive import LocalAnswerer, LocalReranker

TEXTS = ["Run a command in a new process.", "The cat sat on the mat.", "a", " ", "\x00", "日本語"]
PASSAGES = [
    Passage("mat", "d1", "The cat sat on the mat. It slept all day long in the sun."),
    Passage("run", "d2", "Run a command and wait for it. A timeout can be given in seconds."),
    Passage("join", "d3", "Wait until the thread ends. Pass a number to give up earlier."),
]


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    return LocalEmbedder()


def test_rows_are_unit_float32(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed(TEXTS, "document")
    assert vectors.shape == (len(TEXTS), 256)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_nothing_to_embed(embedder: LocalEmbedder) -> None:
    assert embedder.embed([], "query").shape == (0, 256)


def test_a_text_without_tokens_still_has_a_direction(embedder: LocalEmbedder) -> None:
    first, second = embedder.embed(["", ""], "document")
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(first, second)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: LocalEmbedder) -> None:
    together = embedder.embed([*TEXTS, "word " * 5000], "document")
    for text, row in zip(TEXTS, together, strict=False):
        assert np.array_equal(embedder.embed([text], "query")[0], row)


def test_a_very_long_text(embedder: LocalEmbedder) -> None:
    (row,) = embedder.embed(["many words " * 100_000], "document")
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-4)


def test_what_means_alike_is_near(embedder: LocalEmbedder) -> None:
    run, start, cat = embedder.embed(
        ["run a process", "start a program", "a sleeping cat"], "query"
    )
    assert run @ start > run @ cat


def test_invalid_unicode_is_rejected(embedder: LocalEmbedder) -> None:
    with pytest.raises(ProviderRejected, match="Unicode"):
        embedder.embed(["fine", "\ud800"], "document")


def test_threads_share_one_load() -> None:
    embedder = LocalEmbedder()
    with ThreadPoolExecutor(8) as pool:
        rows = list(pool.map(lambda _: embedder.embed(TEXTS, "query"), range(16)))
    assert all(np.array_equal(rows[0], other) for other in rows[1:])


def test_loading_leaves_the_process_s_logging_alone() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    LocalEmbedder().embed(["a text"], "query")
    assert (root.level, list(root.handlers)) == before


def test_the_passage_that_answers_comes_first(embedder: LocalEmbedder) -> None:
    reranking = LocalReranker(PassageAnalyzer(embedder)).rerank(
        "How do I run it with a timeout?", PASSAGES, 2
    )
    assert PASSAGES[reranking.order[0].index].chunk_id == "run"
    assert len(reranking.order) == 2


def test_the_answer_quotes_what_answers(embedder: LocalEmbedder) -> None:
    answerer = LocalAnswerer(PassageAnalyzer(embedder))
    generated = answerer.answer("How do I run a command with a timeout?", PASSAGES)
    assert answerer.model == "extractive-wordllama-256"
    assert generated.citations[0].quote == PASSAGES[1].text
    texts = {passage.chunk_id: passage.text for passage in PASSAGES}
    for c in generated.citations:
        assert texts[c.chunk_id][c.quote_start : c.quote_end] == c.quote
