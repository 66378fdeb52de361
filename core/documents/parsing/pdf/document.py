"""PDF documents: titles and blocks, from the text that the file has."""

import re

from pypdfium2 import PdfDocument, PdfiumError, raw

from core.documents.errors import UnusableFile
from core.documents.model import ParsedDocument
from core.documents.parsing.pdf.blocks import blocks_of, body_size
from core.documents.parsing.pdf.page import read_page
from core.documents.parsing.pdf.running import without_running_lines

_MOST_PAGES = 10_000
_FILE_NAME = re.compile(
    r"\.(?:docx?|pptx?|xlsx?|pdf|tex|dvi|indd|qxd)$|^(?:untitled|microsoft)", re.IGNORECASE
)


def parse_pdf(content: bytes) -> ParsedDocument:
    """Return a document's title and blocks.

    Raises:
        UnusableFile: the content is no PDF, encrypted, damaged, or without text.
    """
    if b"%PDF-" not in content[:1024]:
        raise UnusableFile("The file is not a PDF.")
    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        raise UnusableFile(_reason(error)) from None
    try:
        if not 0 < len(document) <= _MOST_PAGES:
            raise UnusableFile(
                f"The PDF has {len(document)} pages; 1 to {_MOST_PAGES} can be read."
            )
        pages = [read_page(document, index) for index in range(len(document))]
        title = " ".join(document.get_metadata_value("Title").split())
    except PdfiumError as error:
        raise UnusableFile(f"The PDF is damaged: {error}"[:300]) from None
    finally:
        document.close()
    if not any(page.runs or page.asides for page in pages):
        raise UnusableFile("The PDF has no text; scanned pages need text recognition first.")
    blocks = tuple(blocks_of(without_running_lines(pages, body_size(pages))))
    first = next((block.title for block in blocks if block.kind == "heading"), None)
    return ParsedDocument(title if title and not _FILE_NAME.search(title) else first, blocks)


def _reason(error: PdfiumError) -> str:
    if error.err_code == raw.FPDF_ERR_PASSWORD:
        return "The PDF is encrypted; only one without a password can be read."
    return "The PDF is damaged, or cut off."
