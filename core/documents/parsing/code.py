"""Source code and other text that is no prose: one code block, cut at blank lines."""

from collections.abc import Callable

from core.documents.model import ParsedDocument, fenced_block


def code_parser(language: str) -> Callable[[str], ParsedDocument]:
    """Return a parser that takes a text for code of a language."""

    def parse(text: str) -> ParsedDocument:
        code = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        first = len(code) - len(code.lstrip("\n"))
        blocks = (fenced_block(code.strip("\n"), language, first + 1),) if code.strip() else ()
        return ParsedDocument(None, blocks)

    return parse
