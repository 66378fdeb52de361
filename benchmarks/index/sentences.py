"""English sentences with embeddings: the docstrings of the installed packages."""

import ast
import re
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.providers.local.embedder import LocalEmbedder

_SHORTEST, _LONGEST = 25, 300
_END = re.compile(r"(?<=[.!?])\s+|\n\n+")
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def embeddings(count: int) -> NDArray[np.float32]:
    """Return `(n, 256) float32` by the built-in model, in random order; at most `count`."""
    texts = _distinct_sentences(count)
    np.random.default_rng(1).shuffle(texts)
    return LocalEmbedder().embed(texts, "document")


def _distinct_sentences(count: int) -> list[str]:
    sentences: set[str] = set()
    for path in sorted(Path(sysconfig.get_path("purelib")).rglob("*.py")):
        sentences.update(_sentences(path))
        if len(sentences) >= count:
            break
    return sorted(sentences)[:count]


def _sentences(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text())
    except (SyntaxError, ValueError):
        # Templates, and tests of parsers.
        return
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED):
            for part in _END.split(ast.get_docstring(node) or ""):
                sentence = " ".join(part.split())
                if _SHORTEST < len(sentence) < _LONGEST:
                    yield sentence
