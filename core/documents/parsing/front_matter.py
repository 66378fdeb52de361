"""Front matter: the lines of YAML or TOML above a document, with its title and description."""

import re
from typing import Literal

_FENCES = {"---": ("---", "..."), "+++": ("+++",)}
_KEY = re.compile(r"""\s*(?:["']?[\w.-]+["']?\s*[:=]|#|$)""")
_VALUE = re.compile(r"""["']?(title|description)["']?\s*[:=]\s*(.*)$""", re.IGNORECASE)
_BLOCK_SCALAR = re.compile(r"[|>][+-]?\d?$")
_QUOTED = re.compile(r"""(["'])(.*)\1\s*(?:#.*)?$""")
_COMMENT = re.compile(r"\s#.*$")


def front_matter_lines(lines: list[str]) -> int:
    """Return the number of lines of the front matter, with its fences; 0 if there is none."""
    if not lines:
        return 0
    closing = _FENCES.get(lines[0].removeprefix("\ufeff").rstrip())
    if closing is None:
        return 0
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() in closing:
            return number
        if number == 2 and not _KEY.match(line):
            return 0
    return 0


def front_matter_value(name: Literal["title", "description"], lines: list[str]) -> str | None:
    """Return the title or the description in the lines of a front matter, or `None`."""
    for number, line in enumerate(lines):
        match = _VALUE.match(line)
        if match and match[1].lower() == name:
            value = match[2].strip()
            if _BLOCK_SCALAR.match(value):
                value = " ".join(_indented_lines(lines[number + 1 :]))
            quoted = _QUOTED.match(value)
            words = quoted[2] if quoted else _COMMENT.sub("", value)
            return " ".join(words.split()) or None
    return None


def _indented_lines(lines: list[str]) -> list[str]:
    end = next((n for n, line in enumerate(lines) if line[:1].strip()), len(lines))
    return [line.strip() for line in lines[:end]]
