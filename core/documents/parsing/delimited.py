"""CSV and TSV: one table, whose header each chunk repeats."""

import csv
import io

from core.documents.errors import UnusableFile
from core.documents.model import ParsedDocument, table

_SAMPLE_CHARS = 16 * 1024
_MOST_COLUMNS = 1000


def parse_csv(text: str) -> ParsedDocument:
    """Return a table; the delimiter is the one that the first lines have.

    Raises:
        UnusableFile: the text can't be read as rows.
    """
    try:
        dialect: csv.Dialect | type[csv.Dialect] = csv.Sniffer().sniff(
            _first_lines(text), delimiters=",;\t|"
        )
    except csv.Error:
        dialect = csv.excel
    return _parse(text, dialect.delimiter)


def parse_tsv(text: str) -> ParsedDocument:
    return _parse(text, "\t")


def _parse(text: str, delimiter: str) -> ParsedDocument:
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise UnusableFile(f"The file is not CSV: {error}.") from None
    if max((len(row) for row in rows), default=0) > _MOST_COLUMNS:
        raise UnusableFile(f"The file has rows of more than {_MOST_COLUMNS} columns.")
    block = table(rows, 1)
    return ParsedDocument(None, () if block is None else (block,))


def _first_lines(text: str) -> str:
    """Return whole lines, without quoted parts: the sniffer takes minutes for some of them."""
    sample, _, _ = text[:_SAMPLE_CHARS].rpartition("\n")
    return "\n".join(
        line for line in (sample or text[:_SAMPLE_CHARS]).split("\n") if '"' not in line
    )
