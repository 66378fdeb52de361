"""Words that a line end cuts in two."""

import re
from collections.abc import Iterable, Sequence

from core.domain.text.sentences import join_lines

_LAST = re.compile(r"[^\W\d_]+(?=[-\u00ad\u2010]$)")
_FIRST = re.compile(r"[^\W\d_]+")
_COMPOUND = re.compile(r"[^\W\d_]+(?:[-\u2010][^\W\d_]+)+")
_LONGEST_WORD = 60


class HyphenatedWords:
    """The words of a document, by which a hyphen at a line end is kept or undone."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._compounds: set[str] = set()
        for line in lines:
            for compound in _COMPOUND.findall(line):
                self._compounds.add(compound.lower().replace("\u2010", "-"))

    def join(self, lines: Sequence[str]) -> tuple[str, list[int]]:
        """Return lines as one, and where each begins; hyphens that only cut a word are undone."""
        text, starts = "", []
        for line in lines:
            if text:
                text, between = self._end(text, line)
                text += between
            starts.append(len(text))
            text += line
        return text, starts

    def _end(self, above: str, line: str) -> tuple[str, str]:
        """Return a text as it goes on in the next line, and what is between both."""
        if above.endswith("\u00ad"):
            return above[:-1], ""
        last, first = _LAST.search(above, max(0, len(above) - _LONGEST_WORD)), _FIRST.match(line)
        if last is None:
            is_range = above[-2:-1].isdigit() and above.endswith("-") and line[0].isdigit()
            return above, "" if is_range else join_lines(f"{above[-1]}\n{line[0]}")[1:-1]
        if first is None or first[0][0].isupper():
            return above, "" if first else " "
        is_compound = f"{last[0]}-{first[0]}".lower() in self._compounds
        return above if is_compound else above[:-1], ""
