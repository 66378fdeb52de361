"""Decoding of text: by its byte order mark, as UTF-8, as it declares, or as it looks."""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

import chardet
from chardet import DetectionDict

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
"""Bytes from which the encoding is detected, and characters of a text that are looked at."""

_CANDIDATES = (
    *("windows-1252", "windows-1250", "windows-1251", "windows-1253", "windows-1254"),
    *("windows-1255", "windows-1256", "windows-1257", "iso-8859-2", "koi8-r", "koi8-u", "cp866"),
    *("cp932", "shift_jis_2004", "euc-jp", "gb18030", "big5", "big5hkscs", "euc-kr", "cp949"),
    *("cp874", "tis-620"),
)
"""Encodings that files of today's and yesterday's systems are in, without those of mainframes, and
of early computers by Apple, which fit short texts by chance."""

_PRIOR = 1.4
"""Factor for Windows-1252, the most frequent encoding. Others fit texts in it up to 1.3 times as
well; it fits texts in others less than 0.65 times as well."""

_WORD = re.compile(r"\w+")
_NOT_LATIN = ("CYRILLIC", "GREEK", "HEBREW", "ARABIC")
_MOST_MIXED = 0.2
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROL = 0.01


def decode(content: bytes) -> str:
    """Return a text without its byte order mark.

    Raises:
        UnusableFile: the content is not text, or in no encoding that can be detected.
    """
    if marked := next((name for mark, name in _MARKS if content.startswith(mark)), None):
        return _check_text(_strict(content, marked))
    try:
        return _check_text(content.decode())
    except UnicodeDecodeError as error:
        where = f"byte 0x{content[error.start]:02X} at offset {error.start}"
    if b"\0" in content:
        raise UnusableFile("The file has NUL characters, so it is not text.")
    if (declared := _declared_encoding(content)) is not None:
        with suppress(UnicodeError):
            return _check_text(content.decode(declared))
    for encoding in _detect_encodings(content):
        with suppress(UnicodeError):
            text = content.decode(encoding)
            if not _mixes_scripts(text[:_SAMPLE_BYTES]):
                return _check_text(text)
    raise UnusableFile(f"The file is not UTF-8 text ({where}), nor text of a known encoding.")


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        raise UnusableFile(
            f"The file is not {name} text as its first bytes say (offset {error.start})."
        ) from None


def _declared_encoding(content: bytes) -> str | None:
    match = _DECLARED.search(content[:_DECLARED_WITHIN_BYTES])
    if match is None:
        return None
    try:
        codec = codecs.lookup(match[1].decode("ascii", "replace")).name
        "".encode(codec)  # not a codec of bytes to bytes, as `zlib`
    except (LookupError, UnicodeError, TypeError):
        return None
    return "cp1252" if codec in _AS_WINDOWS_1252 else codec


def _detect_encodings(content: bytes) -> Iterator[str]:
    """Yield the encodings that the content may be in, the likeliest first."""
    candidates = chardet.detect_all(
        content[:_SAMPLE_BYTES], ignore_threshold=True, include_encodings=_CANDIDATES
    )
    for candidate in sorted(candidates, key=_likelihood, reverse=True):
        if (encoding := candidate["encoding"]) is not None:
            yield encoding


def _likelihood(candidate: DetectionDict) -> float:
    is_common = candidate["encoding"] == "Windows-1252"
    return candidate["confidence"] * (_PRIOR if is_common else 1)


def _mixes_scripts(text: str) -> bool:
    """Return whether many words have Latin letters next to those of another script.

    They are signs of a wrong encoding: `città` in Windows-1252 is `citt` and a Cyrillic letter in
    Windows-1251.
    """
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    mixed = sum(map(_is_mixed, words))
    return mixed > _MOST_MIXED * len(words)


def _is_mixed(word: str) -> bool:
    has_latin = any(char.isascii() and char.isalpha() for char in word)
    return has_latin and any(unicodedata.name(char, "").startswith(_NOT_LATIN) for char in word)


def _check_text(text: str) -> str:
    if "\0" in text:
        raise UnusableFile("The file has NUL characters, so it is not text.")
    if len(_CONTROL.findall(text)) > _MOST_CONTROL * len(text):
        raise UnusableFile("The file has many control characters, so it is not text.")
    return text
