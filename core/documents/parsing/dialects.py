"""Takes the markup of documentation tools out of Markdown: what is left is CommonMark.

MDX (imports, exports, components), admonitions and tabs (`:::`, `!!!`, `???`, `===`, `///`), MyST
directives, the tags of Jekyll, Hugo and MkDocs that stand in lines of their own. Fenced code keeps
its lines. Each line knows its number in the source.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

Line: TypeAlias = tuple[str, int]
"""A line without its end, and its number in the source, from 1."""

_LONGEST = 400
"""Characters of a line that may be such markup."""
_FENCE = re.compile(r"[ \t>]*(?:[-*+]\s+|\d{1,9}[.)]\s+)?(`{3,}|~{3,})\s*(.*)$")
_MYST = re.compile(r"\{([\w:.+-]+)\}\s*(.*)$")
_MYST_CODE = {"code-block", "code", "code-cell", "sourcecode", "literalinclude", "parsed-literal"}
_MYST_WITHOUT_PROSE = {"toctree", "image", "figure", "include", "eval-rst", "raw", "bibliography"}
_OPTION = re.compile(r"\s*:[\w-]+:")
_MYST_TARGET = re.compile(r"\([\w.:-]+\)=\s*$")

_COLONS = re.compile(r"\s*:{3,}\s*(?:\{?[\w-]+\}?)?\s*(.*)$")
_SLASHES = re.compile(r"\s*/{3,}\s*[\w-]*\s*(?:\|\s*(.*))?$")
_INDENTED = re.compile(r"""(\s*)(?:!!!|\?\?\?\+?|===[+!]?)\s+(?:[\w -]+)?\s*(?:"([^"]*)")?\s*$""")
_JEKYLL_CODE = re.compile(r"\s*(?:\{%-?\s*(?:highlight|codeblock)\s+|\{\{<\s*highlight\s+)(\w+)")
_JEKYLL_CODE_END = re.compile(
    r"\s*(?:\{%-?\s*end(?:highlight|codeblock)\s*-?%\}|\{\{<\s*/\s*highlight\s*>\}\})\s*$"
)
_WITHOUT_WORDS = re.compile(
    r"\s*(?:--8<--.*|\*\[[^\]]+\]:\s.*|\{%[^\n]*%\}|\{\{[<%][^\n]*[>%]\}\}|@\[[^\]]+\].*"
    r"|\$\{toc\})\s*$",
    re.IGNORECASE,
)
_IMPORT = re.compile(r"""import\s+(?:["']|[\w*{$][^\n]*\bfrom\s*["'])""")
_IMPORT_BEGIN = re.compile(r"import\s+(?:\w+\s*,\s*)?\{\s*$")
_EXPORT = re.compile(r"export\s+(?:const|let|var|function|default|async|class)\b")
_COMPONENT = re.compile(r"\s*</?(?:[A-Z][\w.]*)?(?=[\s/>]|$)")


def without_dialects(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of CommonMark."""
    return list(_without_markup(_without_statements(_without_indented(lines))))


def _without_indented(lines: Iterable[Line]) -> Iterator[Line]:
    """Replace `!!! note "Title"` by its title, and move what is indented below it to the left."""
    margins: list[int] = []
    shifts: list[int] = []
    for text, number in lines:
        indent = len(text) - len(text.lstrip(" "))
        if text.strip():
            while margins and indent < margins[-1]:
                margins.pop()
                shifts.pop()
        shift = shifts[-1] if shifts else 0
        shifted = text[min(shift, indent) :]
        match = _INDENTED.match(shifted) if len(shifted) <= _LONGEST else None
        if match is None:
            yield shifted, number
            continue
        margins.append(indent + 4)
        shifts.append(shift + 4)
        yield from _alone(match[1], match[2], number)


def _without_statements(lines: Iterable[Line]) -> Iterator[Line]:
    """Drop MDX's imports and exports, and components that stand in lines of their own."""
    fence = _FenceState()
    until: re.Pattern[str] | None = None
    for text, number in lines:
        if fence.is_open or fence.opens(text):
            fence.read(text)
            yield text, number
        elif until is not None:
            if not text.strip() or until.search(text):
                until = None
            yield "", number
        elif _IMPORT.match(text):
            yield "", number
        elif _IMPORT_BEGIN.match(text):
            until = re.compile(r"\bfrom\s*[\"']")
            yield "", number
        elif _EXPORT.match(text):
            until = None if text.rstrip().endswith(";") else re.compile(r"^[})\]]*;?\s*$")
            yield "", number
        elif _COMPONENT.match(text) and (rest := _after_component(text)) is not None:
            yield rest, number
        elif _COMPONENT.match(text) and ">" not in text:
            until = re.compile(r"/?>\s*$")
            yield "", number
        else:
            yield text, number


def _after_component(text: str) -> str | None:
    """Return what stands after the tags of components that a line begins with and ends with.

    `None` if the line has no whole tag at its beginning.
    """
    begun = False
    while match := _COMPONENT.match(text):
        end = text.find(">", match.end())
        if end < 0:
            return "" if begun else None
        text, begun = text[end + 1 :], True
    return re.sub(r"(?:</?[A-Z][\w.]{0,80}\s*/?>\s*)+$", "", text) if begun else None


def _without_markup(lines: Iterable[Line]) -> Iterator[Line]:
    """Drop or rewrite the lines that are a tool's markup."""
    fence = _FenceState()
    directives: list[str] = []
    dropping = options = False
    for text, number in lines:
        if fence.is_open:
            fence.read(text)
            yield text, number
        elif directives and text.strip() == directives[-1]:
            directives.pop()
            dropping = False
            yield "", number
        elif dropping or (options and _OPTION.match(text)):
            continue
        elif directive := _directive(text):
            marks, name, title = directive
            if name in _MYST_CODE:
                fence.read(marks)
                yield f"{marks}{title}", number
            else:
                directives.append(marks)
                dropping = name in _MYST_WITHOUT_PROSE
                options = True
                yield from _alone("", "" if dropping else title, number)
        elif fence.opens(text):
            fence.read(text)
            yield text, number
        else:
            options = options and not text.strip()
            yield from _rewritten(text, number)


def _directive(text: str) -> tuple[str, str, str] | None:
    """Return a MyST directive's fence, name and argument."""
    if len(text) > _LONGEST or (fence := _FENCE.match(text)) is None:
        return None
    match = _MYST.match(fence[2])
    return (fence[1], match[1], match[2]) if match else None


def _rewritten(text: str, number: int) -> Iterator[Line]:
    if len(text) > _LONGEST:
        yield text, number
    elif match := _COLONS.match(text):
        yield from _alone("", match[1].strip("[] "), number)
    elif match := _SLASHES.match(text):
        yield from _alone("", match[1], number)
    elif match := _JEKYLL_CODE.match(text):
        yield f"```{match[1]}", number
    elif _JEKYLL_CODE_END.match(text):
        yield "```", number
    elif _WITHOUT_WORDS.match(text) or _MYST_TARGET.match(text):
        yield "", number
    else:
        yield text, number


def _alone(indent: str, words: str | None, number: int) -> Iterator[Line]:
    """Yield words as a paragraph of their own."""
    yield "", number
    if words:
        yield f"{indent}{words}", number
        yield "", number


class _FenceState:
    """The fence that is open while lines are read, if there is one."""

    def __init__(self) -> None:
        self._marks = ""

    @property
    def is_open(self) -> bool:
        return bool(self._marks)

    def opens(self, text: str) -> bool:
        match = _FENCE.match(text)
        return match is not None and not (match[1][0] == "`" and "`" in match[2])

    def read(self, text: str) -> None:
        match = _FENCE.match(text)
        if match is None:
            return
        if not self._marks:
            self._marks = match[1]
        elif match[1].startswith(self._marks) and not match[2].strip():
            self._marks = ""
