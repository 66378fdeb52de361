"""A tiny BERT or RoBERTa with random weights, as a folder, and its arithmetic in numpy."""

import json
from math import erf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

HIDDEN, HEADS, LAYERS, INNER, POSITIONS = 8, 2, 2, 16, 24
WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "harbour", "deep", "ship", "the", "is", "how")
Floats = NDArray[np.float32]


def weights_of(family: str, *, labels: int = 0, seed: int = 7) -> dict[str, Floats]:
    random = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), HIDDEN),
        "embeddings.position_embeddings.weight": (POSITIONS, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
    }
    norms = ["embeddings.LayerNorm"]
    dense: dict[str, tuple[int, int]] = {}
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        norms += [f"{at}.attention.output.LayerNorm", f"{at}.output.LayerNorm"]
        dense |= {
            f"{at}.attention.self.{part}": (HIDDEN, HIDDEN) for part in ("query", "key", "value")
        }
        dense[f"{at}.attention.output.dense"] = (HIDDEN, HIDDEN)
        dense[f"{at}.intermediate.dense"] = (INNER, HIDDEN)
        dense[f"{at}.output.dense"] = (HIDDEN, INNER)
    if labels and family == "bert":
        dense |= {"pooler.dense": (HIDDEN, HIDDEN), "classifier": (labels, HIDDEN)}
    elif labels:
        dense |= {"classifier.dense": (HIDDEN, HIDDEN), "classifier.out_proj": (labels, HIDDEN)}
    shapes |= {f"{name}.weight": (HIDDEN,) for name in norms}
    shapes |= {f"{name}.bias": (HIDDEN,) for name in norms}
    shapes |= {f"{name}.weight": shape for name, shape in dense.items()}
    shapes |= {f"{name}.bias": shape[:1] for name, shape in dense.items()}
    return {name: random.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def save(
    folder: Path, family: str = "bert", *, labels: int = 0, **config: Any
) -> dict[str, Floats]:
    """Write a model's folder; return its weights."""
    weights = weights_of(family, labels=labels)
    prefix = f"{family}." if labels else ""
    named = {
        name if name.startswith("classifier") else f"{prefix}{name}": weight
        for name, weight in weights.items()
    }
    save_file(named, folder / "model.safetensors")
    said = {
        "model_type": family,
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": POSITIONS,
        **config,
    }
    (folder / "config.json").write_text(json.dumps(said))
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return weights


def states(weights: dict[str, Floats], ids: list[int], types: list[int], first: int = 0) -> Floats:
    """Return the last hidden states of one text, `(n, h)`."""
    words = weights["embeddings.word_embeddings.weight"][ids]
    places = weights["embeddings.position_embeddings.weight"][first : first + len(ids)]
    kinds = weights["embeddings.token_type_embeddings.weight"][types]
    x = _norm(weights, "embeddings.LayerNorm", words + places + kinds)
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        mixed = _attention(weights, f"{at}.attention.self", x)
        x = x + _linear(weights, f"{at}.attention.output.dense", mixed)
        x = _norm(weights, f"{at}.attention.output.LayerNorm", x)
        inner = _gelu(_linear(weights, f"{at}.intermediate.dense", x))
        x = _norm(
            weights, f"{at}.output.LayerNorm", x + _linear(weights, f"{at}.output.dense", inner)
        )
    return x


def logits(weights: dict[str, Floats], last: Floats) -> Floats:
    dense = "pooler.dense" if "pooler.dense.weight" in weights else "classifier.dense"
    out = "classifier" if "classifier.weight" in weights else "classifier.out_proj"
    return _linear(weights, out, np.tanh(_linear(weights, dense, last[0])))


def _attention(weights: dict[str, Floats], at: str, x: Floats) -> Floats:
    width = HIDDEN // HEADS
    query, key, value = (_linear(weights, f"{at}.{part}", x) for part in ("query", "key", "value"))
    mixed = np.empty_like(x)
    for head in range(HEADS):
        part = slice(head * width, (head + 1) * width)
        scores = np.exp(query[:, part] @ key[:, part].T / np.sqrt(width))
        mixed[:, part] = scores / scores.sum(axis=1, keepdims=True) @ value[:, part]
    return mixed


def _linear(weights: dict[str, Floats], name: str, x: Floats) -> Floats:
    product: Floats = x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]
    return product


def _norm(weights: dict[str, Floats], name: str, x: Floats) -> Floats:
    spread = x - x.mean(axis=-1, keepdims=True)
    unit = spread / np.sqrt((spread**2).mean(axis=-1, keepdims=True) + 1e-5)
    scaled: Floats = unit * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return scaled


def _gelu(x: Floats) -> Floats:
    halves: Floats = x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2
    return halves
