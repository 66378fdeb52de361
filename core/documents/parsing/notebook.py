"""Jupyter notebooks: Markdown cells as Markdown, code cells as code with what they printed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from core.documents.errors import UnusableFile
from core.documents.model import Block, ParsedDocument, fenced_block
from core.documents.parsing.markdown.document import parse_markdown

_MOST_OUTPUT_CHARS = 2000


def parse_notebook(text: str) -> ParsedDocument:
    """Return a notebook's title and blocks.

    A block's line counts those of the cells, as a notebook's file has no lines to speak of.

    Raises:
        UnusableFile: the text is no notebook.
    """
    try:
        notebook = json.loads(text)
        cells = notebook["cells"]
        language = _language(notebook.get("metadata"))
        title, blocks = None, []
        line = 1
        for cell in cells:
            source = _text(cell["source"])
            if cell["cell_type"] == "markdown":
                document = parse_markdown(source)
                title = title or document.title
                blocks += [_shift_lines(block, line - 1) for block in document.blocks]
            elif cell["cell_type"] == "code":
                blocks += _code(source, cell.get("outputs", []), language, line)
            line += source.count("\n") + 1
    except RecursionError:
        raise UnusableFile("The notebook is nested too deeply.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnusableFile("The file is not a Jupyter notebook of version 4.") from None
    return ParsedDocument(title, tuple(blocks))


def _code(source: str, outputs: Any, language: str, line: int) -> Iterator[Block]:
    if source.strip():
        yield fenced_block(source.strip("\n"), language, line)
    printed = "".join(_output_text(output) for output in outputs).strip()
    if printed:
        yield fenced_block(printed[:_MOST_OUTPUT_CHARS], "", line)


def _output_text(output: dict[str, Any]) -> str:
    if output["output_type"] == "stream":
        return _text(output["text"])
    shown = output.get("data", {})
    return _text(shown.get("text/plain", "")) + "\n" if "image/png" not in shown else ""


def _text(value: str | list[str]) -> str:
    return value if isinstance(value, str) else "".join(value)


def _language(metadata: Any) -> str:
    name = ((metadata or {}).get("kernelspec") or {}).get("language", "python")
    return name if isinstance(name, str) and name.isalnum() else ""


def _shift_lines(block: Block, lines: int) -> Block:
    return replace(block, line=block.line + lines)
