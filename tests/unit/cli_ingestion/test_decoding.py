"""Decoding of bytes into text."""

import codecs

import pytest

from cli.ingestion.decoding import decode, decode_html
from cli.ingestion.errors import UnusableFile

WORDS = "Grüße, 世界\n"


@pytest.mark.parametrize(
    "content",
    [
        WORDS.encode(),
        WORDS.encode("utf-8-sig"),
        WORDS.encode("utf-16"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
        codecs.BOM_UTF32_BE + WORDS.encode("utf-32-be"),
    ],
    ids=["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"],
)
def test_text_in_unicode(content: bytes) -> None:
    assert decode(content) == WORDS
    assert decode_html(content) == WORDS


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"caf\xe9", r"is not UTF-8 text \(byte 0xE9 at offset 3\); save it as UTF-8"),
        (b"\xff\xfea\x00b", r"is not UTF-16 text \(byte 0x62 at offset 4\)"),
        (b"\xff\xfe not UTF-8", "is not UTF-8, nor UTF-16 as its first bytes indicate"),
        (b"a\x00b\x00", "has NUL characters"),
        (b"\x89PNG\r\n\x1a\n", "is not UTF-8 text"),
    ],
)
def test_what_is_no_text(content: bytes, reason: str) -> None:
    with pytest.raises(UnusableFile, match=reason):
        decode(content)
    with pytest.raises(UnusableFile, match=reason):
        decode_html(content)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [
        ('<meta charset="windows-1252">', "cp1252"),
        ("<META CHARSET=ISO-8859-1>", "cp1252"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        ('<?xml version="1.0" encoding="shift_jis"?>', "shift_jis"),
    ],
)
def test_a_page_may_declare_its_encoding(declared: str, encoding: str) -> None:
    words = {"cp1252": "“Café”", "koi8-r": "мир", "shift_jis": "世界"}[encoding]
    assert decode_html((declared + words).encode(encoding)) == declared + words


def test_a_page_that_is_utf_8_is_so_whatever_it_declares() -> None:
    page = f'<meta charset="latin-1">{WORDS}'
    assert decode_html(page.encode()) == page


@pytest.mark.parametrize("label", ["utf-8", "hex", "no-such", "undefined", "ascii2", "shift_jis"])
def test_a_page_in_another_encoding_than_it_declares(label: str) -> None:
    with pytest.raises(UnusableFile, match="save it as UTF-8"):
        decode_html(f'<meta charset="{label}">'.encode() + b"\xe9\xff")


@pytest.mark.parametrize("text", ["", "世界\n", "世界。", "世，界", "мир!"])
def test_short_texts_in_utf_16(text: str) -> None:
    assert decode(text.encode("utf-16")) == text
