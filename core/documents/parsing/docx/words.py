"""The words of Word documents: tracked changes accepted, hidden text and fields' codes left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from docx.oxml import parse_xml

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

_TEXTS = frozenset({f"{W}t", f"{_M}t"})
_CHARACTERS: Mapping[str, str] = {
    f"{W}tab": "\t",
    f"{W}br": "\n",
    f"{W}cr": "\n",
    f"{W}ptab": "\t",
    f"{W}noBreakHyphen": "-",
}
_SKIPPED = frozenset(
    {f"{W}del", f"{W}moveFrom", f"{W}delText", f"{W}instrText", f"{W}delInstrText"}
    | {f"{W}pPr", f"{W}rPr", f"{W}rt", f"{W}txbxContent", f"{MC}Fallback"}
)
"""Deleted text, fields' codes, properties, phonetic guides, text boxes and their copies."""
_NOTES = frozenset({f"{W}footnoteReference", f"{W}endnoteReference"})
_OFF = frozenset({"0", "false", "off"})


def words_of(paragraph: Any) -> str:
    """Return the words of a paragraph in one line."""
    return " ".join("".join(_texts(paragraph)).split())


def boxes_in(paragraph: Any) -> Iterator[Any]:
    """Yield the contents of the text boxes that are anchored in a paragraph."""
    for child in paragraph:
        if child.tag == f"{W}txbxContent":
            yield child
        elif child.tag not in _SKIPPED:
            yield from boxes_in(child)


def paragraphs_in(element: Any) -> Iterator[Any]:
    """Yield the paragraphs in an element, those of nested tables and of text boxes too."""
    for child in element:
        if child.tag == f"{W}p":
            yield child
            for box in boxes_in(child):
                yield from paragraphs_in(box)
        elif child.tag not in _SKIPPED:
            yield from paragraphs_in(child)


def all_words(element: Any) -> str:
    """Return the words of all paragraphs in an element, in one line."""
    return " ".join(filter(None, map(words_of, paragraphs_in(element))))


def note_ids(element: Any) -> Iterator[tuple[str, str]]:
    """Yield the kinds and ids of the notes that an element refers to, text boxes aside."""
    for child in element:
        if child.tag in _NOTES:
            yield child.tag, child.get(f"{W}id", "")
        elif child.tag not in _SKIPPED:
            yield from note_ids(child)


def notes_of(document: Any) -> dict[tuple[str, str], str]:
    """Return the words of the footnotes and endnotes, by the reference's tag and id."""
    notes: dict[tuple[str, str], str] = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rpartition("/")[2]
        if kind not in ("footnotes", "endnotes") or relation.is_external:
            continue
        name = kind.removesuffix("s")
        for note in parse_xml(relation.target_part.blob).iter(f"{W}{name}"):
            if note.get(f"{W}type", "normal") == "normal":
                notes[f"{W}{name}Reference", note.get(f"{W}id", "")] = all_words(note)
    return notes


def _texts(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag in _TEXTS:
            yield child.text or ""
        elif child.tag in _CHARACTERS:
            yield _CHARACTERS[child.tag]
        elif child.tag not in _SKIPPED and not _is_hidden(child):
            yield from _texts(child)


def _is_hidden(element: Any) -> bool:
    hidden = element.find(f"{W}rPr/{W}vanish") if element.tag == f"{W}r" else None
    return hidden is not None and hidden.get(f"{W}val", "1") not in _OFF
