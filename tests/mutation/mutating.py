"""Seeds of each format, and damage to them."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from tests.unit.core.documents import samples
from tests.unit.core.documents.pdf import files as pdf_files

DOCS = Path(__file__).parents[2] / "docs"
_RST = """.. _x:

Title
=====

Text *a* with :role:`b` and ``c``::

   code

- one

  1. two

.. note:: Three

   Four

=== ===
a   b
=== ===
1   2
=== ===
"""
_HTML = (
    "<!DOCTYPE html><title>T</title><main><h1>A</h1><p>b <b>c</b>&amp;<ul><li>d<li>e</ul><table>"
    "<tr><th>f<td>g</table><pre>h\n</pre><script>i</script></main><!-- j -->"
)
_CELLS = [{"cell_type": "code", "source": ["x"], "outputs": []}]
_PAGE = [("The Port", 24, 700), ("It is nine fathoms deep.", 11, 660)]

SEEDS: Mapping[str, Callable[[], bytes]] = {
    "a.adoc": lambda: b"= T\n\n== S\n\nA *b*.\n\n* i\n\n----\nx\n----\n\n|===\n|a |b\n|===\n",
    "a.csv": lambda: b'a,b\n"1,2",3\n4,"5\n6"\n' * 5,
    "a.docx": samples.docx,
    "a.html": lambda: _HTML.encode() * 3,
    "a.ipynb": lambda: json.dumps({"cells": _CELLS * 3, "metadata": {}}).encode(),
    "a.md": lambda: (DOCS / "reference/documents.md").read_bytes(),
    "a.pdf": lambda: samples.pdf(_PAGE, _PAGE),
    "columns.pdf": pdf_files.two_columns,
    "table.pdf": pdf_files.ruled_table,
    "a.pptx": samples.pptx,
    "a.py": lambda: Path(__file__).read_bytes(),
    "a.rst": _RST.encode,
    "a.txt": lambda: "Grüße aus dem Hafen. ".encode("utf-16"),
}


_PARTS = {".docx": "word/document.xml", ".pptx": "ppt/slides/slide1.xml"}


def seeds_in(folder: Path) -> dict[str, Callable[[], bytes]]:
    """Return the files in a folder and below it by their paths."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes for path in paths}


def mutate(name: str, content: bytes, random: Random) -> bytes:
    """Return a file with one to eight places damaged; of an archive, mostly those of a part."""
    part = _PARTS.get(Path(name).suffix)
    if part is None or not random.randrange(4):
        return _damage(content, random)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        damaged = _damage(archive.read(part), random)
    return samples.with_part(content, part, damaged)


def _damage(content: bytes, random: Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(random.randint(1, 8)):
        start = random.randrange(len(damaged) + 1)
        end = min(len(damaged), start + random.choice([1, 1, 4, 64, 1024]))
        kind = random.randrange(6)
        if kind == 0:
            damaged[start:end] = random.randbytes(end - start)
        elif kind == 1:
            del damaged[start:end]
        elif kind == 2:
            damaged[start:start] = bytes(damaged[start:end]) * random.choice([1, 2, 50])
        elif kind == 3:
            damaged[start:start] = random.choice([b"\0", b"\xff\xfe", b"<", b"[" * 99, b"9" * 20])
        elif kind == 4:
            del damaged[start:]
        elif start < len(damaged):
            damaged[start] ^= 1 << random.randrange(8)
    return bytes(damaged)
