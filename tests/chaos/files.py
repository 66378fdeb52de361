"""Files of many kinds, the same for the same seed: the material of an ingestion."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from random import Random

from docx import Document

from tests.unit.core.documents.samples import pdf

_WORDS = [
    "anchor",
    "bay",
    "caravan",
    "copper",
    "fathom",
    "harbour",
    "indigo",
    "ivory",
    "lagoon",
    "lighthouse",
    "mooring",
    "pilot",
    "quay",
    "rice",
    "sail",
    "silk",
    "steersman",
    "tide",
    "toll",
    "voyage",
    "wharf",
]
_PDF_LINES = 30


def _sentence(random: Random) -> str:
    words = random.choices(_WORDS, k=random.randint(8, 16))
    return f"{' '.join(words).capitalize()} {random.randrange(10**6)}."


def _paragraph(random: Random) -> str:
    return " ".join(_sentence(random) for _ in range(random.randint(4, 8)))


def _heading(random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=3)).capitalize()


def _rows(random: Random, rows: int) -> Sequence[Sequence[str]]:
    header = ["port", "goods", "depth", "toll"]
    return [header, *([*random.choices(_WORDS, k=3), str(random.random())] for _ in range(rows))]


def _markdown(random: Random, sections: int) -> bytes:
    parts = [f"# {_heading(random)}"]
    for number in range(sections):
        parts += [f"## {_heading(random)}", _paragraph(random), _paragraph(random)]
        if number % 4 == 1:
            first, *rest = (f"| {' | '.join(row)} |" for row in _rows(random, 12))
            parts.append("\n".join([first, "|---|---|---|---|", *rest]))
        if number % 4 == 3:
            parts.append(f"```python\n# {_sentence(random)}\nprint({random.random()})\n```")
    return "\n\n".join(parts).encode()


def _html(random: Random, sections: int) -> bytes:
    body = "".join(
        f"<h2>{_heading(random)}</h2><p>{_paragraph(random)}</p><ul><li>{_sentence(random)}</ul>"
        for _ in range(sections)
    )
    return f"<!DOCTYPE html><title>{_heading(random)}</title><main>{body}</main>".encode()


def _rst(random: Random, sections: int) -> bytes:
    def titled(line: str) -> str:
        return f"{_heading(random)}\n{line * 60}"

    parts = [titled("=")]
    for _ in range(sections):
        parts += [titled("-"), _paragraph(random), f"* {_sentence(random)}\n* {_sentence(random)}"]
    return "\n\n".join(parts).encode()


def _csv(random: Random, sections: int) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(_rows(random, 12 * sections))
    return out.getvalue().encode()


def _code(random: Random, sections: int) -> bytes:
    functions = (
        f'def {random.choice(_WORDS)}_{number}(depth: float) -> float:\n    """{_sentence(random)}'
        f'"""\n    # {_sentence(random)}\n    return depth * {random.random()}\n'
        for number in range(3 * sections)
    )
    return "\n\n".join(functions).encode()


def _text(random: Random, sections: int) -> bytes:
    return "\n\n".join(_paragraph(random) for _ in range(2 * sections)).encode("utf-16")


def _notebook(random: Random, sections: int) -> bytes:
    cells = [
        {"cell_type": kind, "source": [_paragraph(random)], "outputs": []}
        for _ in range(sections)
        for kind in ("markdown", "code")
    ]
    return json.dumps({"cells": cells, "metadata": {}}).encode()


def _pdf(random: Random, sections: int) -> bytes:
    pages = [
        [(_sentence(random), 11, 740 - 20 * line) for line in range(_PDF_LINES)]
        for _ in range(max(1, sections // 3))
    ]
    return pdf(*pages, title=_heading(random))


def _docx(random: Random, sections: int) -> bytes:
    document = Document()
    document.add_heading(_heading(random), 0)
    for _ in range(sections):
        document.add_heading(_heading(random), 1)
        document.add_paragraph(_paragraph(random))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


Make = Callable[[Random, int], bytes]

TEXTS: Mapping[str, Make] = {
    "md": _markdown,
    "html": _html,
    "rst": _rst,
    "csv": _csv,
    "txt": _text,
    "ipynb": _notebook,
}
"""The kinds that are text, by suffix; each makes a file of a number of sections."""

KINDS: Mapping[str, Make] = {**TEXTS, "py": _code, "pdf": _pdf, "docx": _docx}


def make_files(
    count: int, *, sections: int, kinds: Mapping[str, Make] = KINDS, seed: int = 1
) -> dict[str, bytes]:
    """Return files by source, of the kinds in turn, each of up to twice the sections."""
    random = Random(seed)
    suffixes = list(kinds)
    files: dict[str, bytes] = {}
    for number in range(count):
        suffix = suffixes[number % len(suffixes)]
        content = kinds[suffix](random, random.randint(1, 2 * sections))
        files[f"{suffix}/{number:05}.{suffix}"] = content
    return files
