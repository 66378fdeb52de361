"""The ONNX graph of a BERT or RoBERTa encoder from its weights, for folders without an ONNX file.

Devlin et al., "BERT" (2019). Its inputs are `input_ids`, `attention_mask` and `token_type_ids`,
`(b, n) int64`. Its output is `last_hidden_state`, `(b, n, h) float32`, or with a classifier
`logits`, `(b, labels) float32`. Names of weights are those of Hugging Face's `transformers`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from core.domain.errors import ProviderRejected

OPSET = 20
IR_VERSION = 10
INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_FAMILIES = {"bert": 0, "roberta": 2, "xlm-roberta": 2}
"""The families that are known, and the first position of a text in each."""
_ACTIVATIONS = {"gelu": "Gelu", "relu": "Relu"}
_MASKED = np.float32(-1e9)

Weights = Mapping[str, NDArray[np.float32]]


def build(weights: Weights, config: Mapping[str, Any]) -> onnx.ModelProto:
    """Return the model.

    Raises:
        ProviderRejected: the model is of another family, or its weights are not complete.
    """
    family = str(config.get("model_type"))
    if family not in _FAMILIES or config.get("hidden_act", "gelu") not in _ACTIVATIONS:
        known = ", ".join(_FAMILIES)
        raise ProviderRejected(
            f"A model of the type {family!r} needs an ONNX file; only {known} can do without."
        )
    graph = _Graph({_plain(name): weight for name, weight in weights.items()}, config)
    try:
        return graph.model(_FAMILIES[family])
    except KeyError as missing:
        raise ProviderRejected(f"The weights of the model lack {missing}.") from None


def _plain(name: str) -> str:
    return name.removeprefix("bert.").removeprefix("roberta.")


class _Graph:
    def __init__(self, weights: Weights, config: Mapping[str, Any]) -> None:
        self._weights = weights
        self._hidden = int(config["hidden_size"])
        self._heads = int(config["num_attention_heads"])
        self._layers = int(config["num_hidden_layers"])
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))
        self._activation = _ACTIVATIONS[config.get("hidden_act", "gelu")]
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def model(self, first_position: int) -> onnx.ModelProto:
        mask = self._mask()
        states = self._embeddings(first_position)
        for layer in range(self._layers):
            states = self._layer(states, mask, f"encoder.layer.{layer}")
        name, output_name = "last_hidden_state", states
        shape: list[str | int | None] = ["b", "n", self._hidden]
        if any(weight.startswith("classifier.") for weight in self._weights):
            name, shape, output_name = "logits", ["b", None], self._classifier(states)
        self._nodes.append(helper.make_node("Identity", [output_name], [name]))
        inputs = [helper.make_tensor_value_info(i, TensorProto.INT64, ["b", "n"]) for i in INPUTS]
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, "encoder", inputs, [output], self._constants)
        opset = [helper.make_opsetid("", OPSET)]
        return helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)

    def _embeddings(self, first_position: int) -> str:
        words = self._op("Gather", self._weight("embeddings.word_embeddings.weight"), "input_ids")
        types = self._op(
            "Gather", self._weight("embeddings.token_type_embeddings.weight"), "token_type_ids"
        )
        length = self._op("Slice", self._op("Shape", "input_ids"), self._ints(1), self._ints(2))
        start = self._ints(first_position)
        places = self._op(
            "Slice",
            self._weight("embeddings.position_embeddings.weight"),
            start,
            self._op("Add", start, length),
            self._ints(0),
        )
        total = self._op("Add", self._op("Add", words, types), places)
        return self._norm(total, "embeddings.LayerNorm")

    def _mask(self) -> str:
        """Return what is added to the attention: 0, and a large negative number for padding."""
        floats = self._op("Cast", "attention_mask", to=TensorProto.FLOAT)
        wide = self._op("Unsqueeze", floats, self._ints(1, 2))
        padding = self._op("Sub", self._constant(np.float32(1)), wide)
        return self._op("Mul", padding, self._constant(_MASKED))

    def _layer(self, states: str, mask: str, name: str) -> str:
        attended = self._linear(
            self._attention(states, mask, name), f"{name}.attention.output.dense"
        )
        states = self._norm(self._op("Add", states, attended), f"{name}.attention.output.LayerNorm")
        inner = self._op(self._activation, self._linear(states, f"{name}.intermediate.dense"))
        outer = self._linear(inner, f"{name}.output.dense")
        return self._norm(self._op("Add", states, outer), f"{name}.output.LayerNorm")

    def _attention(self, states: str, mask: str, name: str) -> str:
        query, key, value = (
            self._heads_of(self._linear(states, f"{name}.attention.self.{part}"))
            for part in ("query", "key", "value")
        )
        scale = self._constant(np.float32(1 / np.sqrt(self._hidden // self._heads)))
        scores = self._op("MatMul", query, self._op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self._op("Add", self._op("Mul", scores, scale), mask)
        mixed = self._op("MatMul", self._op("Softmax", scores, axis=-1), value)
        joined = self._op("Transpose", mixed, perm=[0, 2, 1, 3])
        return self._op("Reshape", joined, self._ints(0, 0, self._hidden))

    def _heads_of(self, states: str) -> str:
        shape = self._ints(0, 0, self._heads, self._hidden // self._heads)
        return self._op("Transpose", self._op("Reshape", states, shape), perm=[0, 2, 1, 3])

    def _classifier(self, states: str) -> str:
        first = self._op("Gather", states, self._constant(np.int64(0)), axis=1)
        dense = "pooler.dense" if "pooler.dense.weight" in self._weights else "classifier.dense"
        pooled = self._op("Tanh", self._linear(first, dense))
        out = "classifier" if "classifier.weight" in self._weights else "classifier.out_proj"
        return self._linear(pooled, out)

    def _linear(self, value: str, name: str) -> str:
        weight = self._constant(self._weights[f"{name}.weight"].T)
        return self._op("Add", self._op("MatMul", value, weight), self._weight(f"{name}.bias"))

    def _norm(self, value: str, name: str) -> str:
        scale, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
        return self._op("LayerNormalization", value, scale, bias, epsilon=self._epsilon)

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        output = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _weight(self, name: str) -> str:
        return self._constant(self._weights[name])

    def _ints(self, *values: int) -> str:
        return self._constant(np.array(values, dtype=np.int64))

    def _constant(self, value: Any) -> str:
        name = f"constant_{len(self._constants)}"
        array = np.ascontiguousarray(value)
        # `ascontiguousarray` makes a scalar a vector of one, which broadcasts alike.
        if np.ndim(value) == 0:
            array = array.reshape(())
        self._constants.append(numpy_helper.from_array(array, name))
        return name
