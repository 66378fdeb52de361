"""Decoding of files: UTF-8, byte order marks, and the encoding that an HTML page declares."""

import codecs
import re

from cli.ingestion.errors import UnusableFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with UTF-16's byte order mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN_BYTES = 1024
"""Bytes in which the HTML standard looks for a declaration."""

_ORDINARY = re.compile(r"[\t\n\r -~\u3000-\u3002\uff00-\uffef]")
"""ASCII, or the punctuation of Chinese and Japanese. Any bytes but surrogates decode as UTF-16."""

_AS_WINDOWS_1252 = {"ascii", "iso8859-1"}
"""Codecs whose names the HTML standard gives to Windows-1252."""


def decode(content: bytes) -> str:
    """Decode UTF-8, or UTF-16 or UTF-32 with a byte order mark.

    Raises:
        UnusableFile: the content is in no such encoding, or has NUL characters as binary files do.
    """
    encoding = _marked(content) or "utf-8"
    try:
        text = _without_nul(content.decode(encoding))
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        where = f"byte 0x{content[error.start]:02X} at offset {error.start}"
        raise UnusableFile(f"is not {name} text ({where}); save it as UTF-8") from None
    if encoding == "utf-16" and text and not _ORDINARY.search(text):
        raise UnusableFile("is not UTF-8, nor UTF-16 as its first bytes indicate; save it as UTF-8")
    return text


def decode_html(content: bytes) -> str:
    """Decode a page as `decode` does, or else in the encoding that the page declares.

    Raises:
        UnusableFile: the content is in neither encoding.
    """
    declared = _DECLARED.search(content[:_DECLARED_WITHIN_BYTES])
    if declared is None or _marked(content) or _is_utf8(content):
        return decode(content)
    label = declared[1].decode("ascii", "replace")
    try:
        codec = codecs.lookup(label).name
        if codec == "utf-8":
            return decode(content)
        return _without_nul(content.decode("cp1252" if codec in _AS_WINDOWS_1252 else codec))
    except (LookupError, UnicodeError):
        raise UnusableFile(
            f"is neither UTF-8 nor {label}, which it declares; save it as UTF-8"
        ) from None


def _marked(content: bytes) -> str | None:
    return next((name for mark, name in _MARKS if content.startswith(mark)), None)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise UnusableFile("has NUL characters, so it is not text in UTF-8; save it as UTF-8")
    return text
