"""Recognition of quotes that a reader would call markup rather than text."""

import re
from collections.abc import Sequence

_LINE = re.compile(
    r"""\s*(?:
        \#{1,6}\s                               # a Markdown heading
      | ={3,}|-{3,}|~{3,}|\*{3,}|\^{3,}         # an underline or a rule
      | \.\.\s+[\w-]+::|\.\.\s+_[^:]+:          # a directive or a target of reStructuredText
      | :[\w-]+:(?:\s|$)                        # an option of a directive
      | \[[^\]]+\]:\s*\S+                       # the definition of a link
      | (?:///|:::|\{\{[<%]|\{%|\{\*)           # an admonition's or a template's tag
      | </?[A-Za-z][^>]*>                       # a tag of HTML
      | \|?[\s:|-]*-{3,}[\s:|-]*\|[\s:|-]*$     # the rule of a table
      | (?:import|export)\s.*['"];?$            # a module that MDX imports
    )""",
    re.VERBOSE,
)
_INLINE = re.compile(
    r"""!?\[[^\]]*\]\([^)\s]+[^)]*\)            # a link or picture of Markdown
      | \[[^\]]+\]\[[^\]]*\]                    # a link by reference
      | :[\w:+.-]+:`[^`]+`                      # a role of reStructuredText
      | `[^`<]*<[^`>]+>`_                       # a link of reStructuredText
      | \{\{.*?\}\}|\{%.*?%\}|\{\*.*?\*\}       # a template's tag
      | </?(?:a|b|br|code|div|em|h[1-6]|i|img|li|ol|p|pre|span|strong|table|td|th|tr|ul)\b[^>]*>
      | <!--
      | \{\s*[.\#][\w-]+[^}]*\}                 # an attribute list
      | \|[a-z]+\]                              # what is left of a role
    """,
    re.VERBOSE | re.DOTALL,
)
_CODE = re.compile(r"`+[^`]*`+")
_FENCE = re.compile(r"^\s*(?:```|~~~)", re.MULTILINE)
_LETTER = re.compile(r"[^\W\d_]")


def is_markup(quote: str) -> bool:
    """Return whether a quote is or contains markup.

    A whole fenced block is none, and nor is what stands in a code span. A quote without a letter
    is markup as well.
    """
    fences = len(_FENCE.findall(quote))
    if fences:
        lines = quote.strip().splitlines()
        whole = bool(_FENCE.match(lines[0]) and _FENCE.match(lines[-1]))
        return not (whole and fences == 2)
    if not _LETTER.search(quote):
        return True
    return _has_roles_or_links(quote) or _has_markup_line(quote.splitlines())


def _has_roles_or_links(quote: str) -> bool:
    without_code = _CODE.sub("`c`", quote)
    # A role and a link of reStructuredText hold a code span, so they are looked for before.
    return any(_INLINE.search(text) for text in (without_code, *_roles(quote)))


def _roles(quote: str) -> Sequence[str]:
    return re.findall(r":[\w:+.-]+:`[^`]+`|`[^`<]*<[^`>]+>`_", quote)


def _has_markup_line(lines: Sequence[str]) -> bool:
    return any(_LINE.match(line) for line in lines)
