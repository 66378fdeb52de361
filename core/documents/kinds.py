"""The parser of a file, by its declared media type or by the suffix of its name."""

from collections.abc import Callable, Mapping

from core.documents.decoding import decode
from core.documents.errors import UnusableFile
from core.documents.model import ParsedDocument
from core.documents.parsing.code import code_parser
from core.documents.parsing.docx.document import parse_docx
from core.documents.parsing.pdf.document import parse_pdf
from core.documents.parsing.pptx import parse_pptx
from core.documents.parsing.registry import ISOLATED, TEXT_PARSERS, with_short_title
from core.documents.parsing.rst import parse_rst
from core.documents.suffixes import LANGUAGES, MEDIA_TYPES, OFFICE, suffix_of

_TEXT_PARSERS = {**TEXT_PARSERS, **dict.fromkeys(ISOLATED, parse_rst)}
_BINARY_PARSERS: Mapping[str, Callable[[bytes], ParsedDocument]] = {
    "application/pdf": parse_pdf,
    f"{OFFICE}.wordprocessingml.document": parse_docx,
    f"{OFFICE}.presentationml.presentation": parse_pptx,
}


def parse_content(content: bytes, name: str, media_type: str | None = None) -> ParsedDocument:
    """Return the title and blocks of a file.

    A media type without a parser is passed over, and the name's suffix decides; a file of an
    unknown kind is plain text, if it is text.

    Raises:
        UnusableFile: the content can't be read.
    """
    return with_short_title(_parser(name, media_type)(content))


def _parser(name: str, media_type: str | None) -> Callable[[bytes], ParsedDocument]:
    suffix = suffix_of(name)
    declared = (media_type or "").partition(";")[0].strip().lower()
    by_name = MEDIA_TYPES.get(suffix, "text/plain")
    for known in (declared if declared != "text/plain" else by_name, by_name):
        if suffix in LANGUAGES and known == "text/plain":
            return lambda content: code_parser(LANGUAGES[suffix])(_text_of(content))
        if known in _BINARY_PARSERS:
            return _BINARY_PARSERS[known]
        if known in _TEXT_PARSERS:
            break
    return lambda content: _TEXT_PARSERS[known](_text_of(content))


def _text_of(content: bytes) -> str:
    for magic, what in _BINARIES:
        if content.startswith(magic):
            raise UnusableFile(f"The file is {what}, which has no parser here.")
    return decode(content)


_BINARIES = (
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a compressed file"),
    (b"PK\x03\x04", "an archive"),
    (b"%PDF-", "a PDF whose name or media type says otherwise"),
    (b"\xd0\xcf\x11\xe0", "a Microsoft Office file of before 2007"),
)
