"""Decoding of text: by its byte order mark, as UTF-8, as it declares, or as it looks."""

import codecs
import re

from charset_normalizer import from_bytes

from core.documents.errors import UnusableFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins with UTF-16's byte order mark
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(
    rb"""(?:charset|encoding|coding)\s*[=:]\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
_DECLARED_WITHIN_BYTES = 1024
"""Bytes in which the HTML standard looks for a declaration."""
_AS_WINDOWS_1252 = {"ascii", "iso8859-1"}
"""Codecs whose names the HTML standard gives to Windows-1252."""
_SAMPLE_BYTES = 256 * 1024
"""Bytes from which the encoding is detected."""
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROL = 0.01


def decode(content: bytes) -> str:
    """Return a text without its byte order mark.

    Raises:
        UnusableFile: the content is not text, or in no encoding that can be detected.
    """
    if marked := next((name for mark, name in _MARKS if content.startswith(mark)), None):
        return _checked(_strict(content, marked))
    try:
        return _checked(content.decode())
    except UnicodeDecodeError as error:
        where = f"byte 0x{content[error.start]:02X} at offset {error.start}"
    if b"\0" in content:
        raise UnusableFile("The file has NUL characters, so it is not text.")
    for encoding in (_declared(content), _detected(content)):
        if encoding is not None:
            try:
                return _checked(content.decode(encoding))
            except UnicodeError:
                continue
    raise UnusableFile(f"The file is not UTF-8 text ({where}), nor text of a known encoding.")


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise UnusableFile(
            f"The file is not {name} text as its first bytes say (offset {error.start})."
        ) from None


def _declared(content: bytes) -> str | None:
    match = _DECLARED.search(content[:_DECLARED_WITHIN_BYTES])
    if match is None:
        return None
    try:
        codec = codecs.lookup(match[1].decode("ascii", "replace")).name
        "".encode(codec)  # not a codec of bytes to bytes, as `zlib`
    except (LookupError, UnicodeError, TypeError):
        return None
    return "cp1252" if codec in _AS_WINDOWS_1252 else codec


def _detected(content: bytes) -> str | None:
    best = from_bytes(content[:_SAMPLE_BYTES]).best()
    return None if best is None else best.encoding


def _checked(text: str) -> str:
    if "\0" in text:
        raise UnusableFile("The file has NUL characters, so it is not text.")
    if len(_CONTROL.findall(text)) > _MOST_CONTROL * len(text):
        raise UnusableFile("The file has many control characters, so it is not text.")
    return text
