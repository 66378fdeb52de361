"""reStructuredText, with the directives and roles of Sphinx, by docutils.

No file is included and no raw text passed through. What docutils does not know is read by its form:
the content of a directive is text or code, and a role is its words.
"""

import re
import threading
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en

from core.documents.errors import UnusableFile
from core.documents.model import Block, Kind, ParsedDocument, fenced_block, heading, item, table
from core.domain.text.sentences import join_lines

_SETTINGS: dict[str, Any] = {
    "_disable_config": True,
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "warning_stream": False,
    "line_length_limit": 1_000_000,
}
_NAMED = re.compile(r"^\s*\.\. (?:\|[^|\n]{1,200}\| )?([A-Za-z][\w:.+-]{0,80})::", re.MULTILINE)
_ROLE = re.compile(r":([A-Za-z][\w:.+-]{0,80}):`")
_TARGET = re.compile(r"\s*<[^<>]*>$")
_CODE = {"code-block", "sourcecode", "literalinclude", "prompt", "doctest", "testcode", "ipython"}
_DROPPED = {
    *("toctree", "index", "include", "raw", "image", "figure", "only", "tabularcolumns", "meta"),
    *("currentmodule", "module", "highlight", "default-role", "graphviz", "mermaid", "testsetup"),
    *("automodule", "autoclass", "autofunction", "contents", "sectnum", "bibliography", "plot"),
}
_OPTION = re.compile(r"\s*:[\w-]+:")
_SKIPPED = (
    *(nodes.comment, nodes.target, nodes.substitution_definition, nodes.system_message),
    *(nodes.docinfo, nodes.topic, nodes.image, nodes.raw, nodes.pending, nodes.decoration),
)
_LOCK = threading.Lock()
_DIRECTIVES: dict[str, Any] = vars(directives)["_directives"]
_ROLES: dict[str, Any] = vars(roles)["_roles"]


class _Unknown(Directive):
    """A directive of Sphinx or of an extension: its title and content as text, or as code."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.name.rpartition(":")[2]
        if name in _DROPPED:
            return []
        first = self.block_text.partition("\n")[0].partition("::")[2].strip()
        skipped = 1 if first else 0
        while skipped < len(self.content) and _OPTION.match(self.content[skipped]):
            skipped += 1
        content = self.content[skipped:]
        if name in _CODE:
            code = "\n".join(content)
            return [nodes.literal_block(code, code, language=first)]
        found = nodes.container()
        if first:
            found += nodes.paragraph(first, first)
        self.state.nested_parse(content, self.content_offset + skipped, found)
        return [found]


def _words_of_role(
    _name: str,
    raw: str,
    text: str,
    _line: int,
    _inliner: Any,
    _options: Any = (),
    _content: Any = (),
) -> Any:
    """Return the words of a role, without its target."""
    words = _TARGET.sub("", text.replace("\x00", "")) or text
    return [nodes.literal(raw, words.lstrip("!~"))], []


def parse_rst(text: str) -> ParsedDocument:
    """Return a document's title and blocks.

    Raises:
        UnusableFile: the text is nested too deeply, or docutils can't read it.
    """
    source = text.removeprefix("\ufeff")
    with _LOCK:  # the registries of docutils are the module's own
        added = _register(source)
        try:
            tree = publish_doctree(source, settings_overrides=_SETTINGS)
        except RecursionError:
            raise UnusableFile("The reStructuredText is nested too deeply.") from None
        except Exception as error:  # noqa: BLE001 - whatever docutils raises for a broken text
            raise UnusableFile(f"The reStructuredText can't be read: {error}"[:300]) from None
        finally:
            _unregister(added)
    blocks = tuple(_Reader().blocks(tree))
    title = next((block.title for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(title, blocks)


def _register(source: str) -> tuple[set[str], set[str]]:
    """Register the directives and roles that docutils does not know."""
    said = {name.lower() for name in _NAMED.findall(source)}
    names = (said - {*en.directives}) | (said & (_CODE | _DROPPED))
    for name in names:
        directives.register_directive(name, _Unknown)
    said = {name.lower() for name in _ROLE.findall(source)} - {*en.roles}
    for name in said:
        roles.register_local_role(name, _words_of_role)
    return names, said


def _unregister(added: tuple[set[str], set[str]]) -> None:
    for name in added[0]:
        _DIRECTIVES.pop(name, None)
    for name in added[1]:
        _ROLES.pop(name, None)


class _Reader:
    """A walk through the tree without recursion of its own, except for its depth of sections."""

    def __init__(self) -> None:
        self._line = 1

    def blocks(self, tree: nodes.Node) -> Iterator[Block]:
        yield from self._children(tree, 0, 0, "paragraph")

    def _children(self, parent: Any, section: int, level: int, kind: Kind) -> Iterator[Block]:
        for child in parent.children:
            yield from self._block(child, section, level, kind)

    def _block(self, node: Any, section: int, level: int, kind: Kind) -> Iterator[Block]:
        self._line = node.line or self._line
        if isinstance(node, _SKIPPED):
            return
        if isinstance(node, nodes.title | nodes.subtitle):
            if words := _words(node):
                depth = max(section, 1) + isinstance(node, nodes.subtitle)
                yield heading(words, depth, max(self._line - 1, 1))
        elif isinstance(node, nodes.section):
            yield from self._children(node, section + 1, level, kind)
        elif isinstance(node, nodes.bullet_list | nodes.enumerated_list):
            yield from self._list(node, section, level)
        elif isinstance(node, nodes.table):
            yield from self._table(node, level)
        elif isinstance(node, nodes.literal_block | nodes.doctest_block):
            code = node.astext().strip("\n")
            if code.strip():
                yield fenced_block(code, str(node.get("language", "")), self._line, level=level)
        elif isinstance(node, nodes.block_quote):
            yield from self._children(node, section, level, "quote")
        elif isinstance(node, nodes.TextElement):
            if words := _words(node):
                yield Block(kind, words, self._line, level)
        else:
            yield from self._children(node, section, level, kind)

    def _list(self, node: Any, section: int, level: int) -> Iterator[Block]:
        numbered = isinstance(node, nodes.enumerated_list)
        start = int(node.get("start", 1))
        for number, entry in enumerate(node.children):
            marker = f"{start + number}. " if numbered else "- "
            is_first = level == 0 and number == 0
            for place, block in enumerate(self._children(entry, section, level + 1, "paragraph")):
                if place == 0 and block.kind == "paragraph" and block.level == level + 1:
                    yield item(block.text, marker, block.line, level + 1, is_first=is_first)
                else:
                    yield block

    def _table(self, node: Any, level: int) -> Iterator[Block]:
        rows = [
            [" ".join(entry.astext().split()) for entry in row.children]
            for row in node.findall(nodes.row)
        ]
        block = table(rows, self._line, level=level)
        yield from () if block is None else (block,)


def _words(node: nodes.Node) -> str:
    return " ".join(join_lines(node.astext()).split())
