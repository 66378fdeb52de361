"""The supported kinds of files, and extraction of their title and text."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from cli.ingestion import html
from cli.ingestion.decoding import decode, decode_html


@dataclass(frozen=True, slots=True)
class Content:
    """A file's text, and its title if it has one."""

    title: str | None
    text: str


Extract = Callable[[bytes], Content]

_MARKDOWN_HEADING = re.compile(r"^# +(\S.*)$", re.MULTILINE)
_ASCIIDOC_HEADING = re.compile(r"^= +(\S.*)$", re.MULTILINE)


def _plain(content: bytes) -> Content:
    return Content(None, decode(content))


def _markdown(content: bytes) -> Content:
    return _headed(_MARKDOWN_HEADING, decode(content))


def _asciidoc(content: bytes) -> Content:
    return _headed(_ASCIIDOC_HEADING, decode(content))


def _html(content: bytes) -> Content:
    page = html.extract(decode_html(content))
    return Content(page.title, page.text)


def _headed(heading: re.Pattern[str], text: str) -> Content:
    match = heading.search(text)
    return Content(_without_closing(match[1], match[0][0]) if match else None, text)


def _without_closing(title: str, mark: str) -> str | None:
    """Return the title without its closing marks, as in `# Title #`."""
    line = title.rstrip()
    open_line = line.rstrip(mark)
    return line if open_line and not open_line[-1].isspace() else open_line.rstrip() or None


_EXTRACTS: Mapping[str, Extract] = {
    ".adoc": _asciidoc,
    ".asciidoc": _asciidoc,
    ".htm": _html,
    ".html": _html,
    ".markdown": _markdown,
    ".md": _markdown,
    ".mdx": _markdown,
    ".rst": _plain,
    ".txt": _plain,
}
SUFFIXES = tuple(_EXTRACTS)


def suffix_of(name: str) -> str:
    """Return the suffix in lower case; empty if there is none."""
    return PurePath(name).suffix.lower()


def is_known(name: str) -> bool:
    return suffix_of(name) in _EXTRACTS


def extract(name: str, content: bytes) -> Content:
    """Return the title and text of a file; an unknown kind is plain text.

    Raises:
        UnusableFile: the content is not text.
    """
    return _EXTRACTS.get(suffix_of(name), _plain)(content)
