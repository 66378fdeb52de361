"""PDF files written object by object, for what generators rarely write."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import reportlab

_HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
_FONTS = "<< /Font << /F1 4 0 R >> >>"
JAPANESE = (
    "港の深さは九尋である。船は一年中ここに錨を下ろす。",
    "胡椒はカリカットで売られる。",
)
_FIRST_GLYPH = 36
_FIRST_HEBREW = 0x5D0
HEBREW = ("הנמל עמוק תשע אמות", "ואניות עוגנות בו כל השנה")


def by_hand(
    content: str,
    *,
    page: str = "",
    pages: str = "/MediaBox [0 0 612 792]",
    font: str = _HELVETICA,
    more: Sequence[str] = (),
) -> bytes:
    """Return a document of one page; the objects in `more` are numbered from 6."""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [3 0 R] /Count 1 {pages} >>",
        f"<< /Type /Page /Parent 2 0 R {page} /Resources {_FONTS} /Contents 5 0 R >>",
        font,
        _stream(content),
        *more,
    ]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    end = (
        f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    )
    return out + end.encode()


def moved_origin() -> bytes:
    """Return a page whose box is inherited, and begins below and left of the origin."""
    return by_hand(
        "BT /F1 12 Tf 0 100 Td (The mole is of stone.) Tj ET",
        pages="/MediaBox [-200 -300 300 400]",
    )


def hebrew() -> bytes:
    """Return lines that are drawn from their left end, as most programs draw them."""
    shown = "".join(
        f"BT /F1 14 Tf 300 {700 - 20 * n} Td ({_codes(line)}) Tj ET\n"
        for n, line in enumerate(HEBREW)
    )
    pairs = {ord("a") + n: _FIRST_HEBREW + n for n in range(27)}
    font = f"{_HELVETICA[:-3]} /ToUnicode 6 0 R >>"
    return by_hand(shown, font=font, more=[_to_unicode(pairs, 1)])


def ligatures() -> bytes:
    """Return a text with the ligatures fi and fl of the standard encoding."""
    return by_hand(
        "BT /F1 12 Tf 72 700 Td (The \\256rst \\257eet of the \\257ood is \\256ve ships.) Tj ET",
        font="<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /Encoding /StandardEncoding >>",
    )


def vertical() -> bytes:
    """Return columns of Japanese from the right to the left, in a font that has its glyphs."""
    characters = sorted(set("".join(JAPANESE)))
    glyphs = {c: _FIRST_GLYPH + n for n, c in enumerate(characters)}
    columns = [text[at : at + 12] for text in JAPANESE for at in range(0, len(text), 12)]
    codes = ["".join(f"{glyphs[c]:04x}" for c in column) for column in columns]
    shown = "".join(
        f"BT /F1 14 Tf {480 - 22 * n} 720 Td <{code}> Tj ET\n" for n, code in enumerate(codes)
    )
    pairs = {glyph: ord(c) for c, glyph in glyphs.items()}
    program = (Path(reportlab.__file__).parent / "fonts" / "Vera.ttf").read_bytes().hex() + ">"
    font = (
        "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Vera /FontDescriptor 8 0 R"
        " /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >>"
        " /CIDToGIDMap /Identity >>"
    )
    descriptor = (
        "<< /Type /FontDescriptor /FontName /Vera /Flags 4 /FontBBox [-183 -236 1287 928]"
        " /ItalicAngle 0 /Ascent 928 /Descent -236 /CapHeight 730 /StemV 80 /FontFile2 9 0 R >>"
    )
    return by_hand(
        shown,
        font="<< /Type /Font /Subtype /Type0 /BaseFont /Vera /Encoding /Identity-V"
        " /DescendantFonts [7 0 R] /ToUnicode 6 0 R >>",
        more=[_to_unicode(pairs, 2), font, descriptor, _stream(program, "/Filter /ASCIIHexDecode")],
    )


def _to_unicode(pairs: Mapping[int, int], size: int) -> str:
    """Return the map of the codes of a font, of a size in bytes, to characters."""
    digits = 2 * size
    lines = "\n".join(f"<{code:0{digits}x}> <{letter:04x}>" for code, letter in pairs.items())
    return _stream(
        f"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <{'0' * digits}>"
        f" <{'f' * digits}> endcodespacerange {len(pairs)} beginbfchar {lines} endbfchar"
        " endcmap end"
    )


def _codes(line: str) -> str:
    return "".join(
        " " if c == " " else chr(ord("a") + ord(c) - _FIRST_HEBREW) for c in reversed(line)
    )


def _stream(content: str, filter: str = "") -> str:
    return f"<< /Length {len(content)} {filter} >>\nstream\n{content}\nendstream"
