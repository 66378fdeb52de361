"""An encoder on onnxruntime: texts in, numbers out, in batches of like lengths."""

import logging
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file
from tokenizers import Encoding, Tokenizer

from core.domain.errors import ProviderRejected
from core.providers.threads import stop_if_cancelled
from core.providers.transformer import graph
from core.providers.transformer.folder import ONNX, QUANTIZED, WEIGHTS, ModelFolder

Text: TypeAlias = str | tuple[str, str]
Arrays: TypeAlias = NDArray[np.float32]

MAX_BATCH_TEXTS = 32
MAX_BATCH_TOKENS = 8192
"""Padding included; a batch's activations take some 100 MB at this size."""


class EncoderSession:
    """A model of a folder, loaded; threads may share a session."""

    def __init__(self, folder: ModelFolder, *, quantized: bool) -> None:
        self._folder = folder
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder.tokenizer))
            self._tokenizer.enable_truncation(folder.max_tokens)
            self._tokenizer.no_padding()
            self._session = _open(folder, quantized=quantized)
        except ProviderRejected:
            raise
        except Exception as error:  # noqa: BLE001 - onnxruntime and tokenizers raise bare ones
            reason = " ".join(str(error).split())[:200]
            raise ProviderRejected(
                f"The model in {folder.path} can't be loaded: {reason}"
            ) from None
        self._inputs = {node.name for node in self._session.get_inputs()}
        self._output = self._session.get_outputs()[0].name

    @property
    def folder(self) -> ModelFolder:
        return self._folder

    def run(self, texts: Sequence[Text]) -> Iterator[tuple[list[int], Arrays, Arrays]]:
        """Yield for each batch the texts' indices, the model's output, and the attention mask.

        Raises:
            ProviderRejected: a text is not valid Unicode.
        """
        try:
            encodings = self._tokenizer.encode_batch(list(texts))
        except TypeError:
            raise ProviderRejected("A text to embed is not valid Unicode.") from None
        for batch in _batches([len(encoding.ids) for encoding in encodings]):
            stop_if_cancelled()
            feed = _feed([encodings[index] for index in batch])
            inputs = {name: array for name, array in feed.items() if name in self._inputs}
            [output] = self._session.run([self._output], inputs)
            yield batch, output, feed["attention_mask"].astype(np.float32)


def _open(folder: ModelFolder, *, quantized: bool) -> onnxruntime.InferenceSession:
    ready = folder.first_of(QUANTIZED) if quantized else None
    if ready is not None:
        return _session(ready)
    path = folder.first_of(ONNX)
    if path is not None and not quantized:
        return _session(path)
    if path is None:
        model = graph.build(load_file(folder.path / WEIGHTS), folder.config)
    else:
        model = onnx.load(str(path))
    return _session(_quantize(model) if quantized else model.SerializeToString())


def _session(model: Path | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Its threads would spin while they wait, on processors that searches need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _quantize(model: onnx.ModelProto) -> bytes:
    """Return the model with its matrices in 8 bits, which takes a second or two."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        path = Path(folder) / "model.onnx"
        quantize_dynamic(model, path, weight_type=QuantType.QInt8, per_channel=True)
        return path.read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what the quantisation logs about models that are not optimised before it."""
    root = logging.getLogger()

    def is_other(record: logging.LogRecord) -> bool:
        return "pre-processing before quantization" not in record.getMessage()

    root.addFilter(is_other)
    try:
        yield
    finally:
        root.removeFilter(is_other)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the indices of each batch, the longest texts first."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        tokens = lengths[batch[0]] * (len(batch) + 1) if batch else 0
        if batch and (len(batch) == MAX_BATCH_TEXTS or tokens > MAX_BATCH_TOKENS):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _feed(encodings: Sequence[Encoding]) -> dict[str, NDArray[np.int64]]:
    shape = (len(encodings), len(encodings[0].ids))
    feed = {name: np.zeros(shape, dtype=np.int64) for name in graph.INPUTS}
    for row, encoding in enumerate(encodings):
        length = len(encoding.ids)
        feed["input_ids"][row, :length] = encoding.ids
        feed["attention_mask"][row, :length] = 1
        feed["token_type_ids"][row, :length] = encoding.type_ids
    return feed
