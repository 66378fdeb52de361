"""Check of an answer's evidence: each quote must occur in the chunk that the citation names."""

from collections.abc import Mapping

from rich.text import Text

from cli.demo.ingest import LIBRARY
from nalanda import AsyncNalanda, Chunk, Citation, NotFoundError, QueryResult


async def fetch_cited_chunks(client: AsyncNalanda, result: QueryResult) -> dict[str, Chunk]:
    """Return the current cited chunks by id, without those that no longer exist."""
    chunks = {}
    for chunk_id in dict.fromkeys(citation.chunk_id for citation in result.citations):
        try:
            chunks[chunk_id] = await client.chunks.get(LIBRARY, chunk_id)
        except NotFoundError:
            continue
    return chunks


def origin(chunk: Chunk) -> Text:
    """Return the place of a chunk in Python's documentation."""
    metadata = chunk.metadata
    kind = (
        "module"
        if metadata["kind"] == "module"
        else f"{metadata['kind']} of module {metadata['module']}"
    )
    return Text.assemble(
        (metadata["name"], "bold"), (f"  {kind}, Python {metadata['python']}", "dim")
    )


def faults(result: QueryResult, chunks: Mapping[str, Chunk]) -> list[str]:
    """Return the faults of the answer's citations; an answer without citations is one, too."""
    if not result.citations:
        return ["the answer cites nothing"]
    faults = [_fault(citation, result.answer or "", chunks) for citation in result.citations]
    return [fault for fault in faults if fault is not None]


def _fault(citation: Citation, answer: str, chunks: Mapping[str, Chunk]) -> str | None:
    chunk = chunks.get(citation.chunk_id)
    if chunk is None:
        return f"{citation.chunk_id} is cited, but is not there"
    if not citation.quote or chunk.document_id != citation.document_id:
        return f"{citation.chunk_id} is cited without a quote, or as another document's"
    if chunk.text[citation.quote_start : citation.quote_end] != citation.quote:
        return f"{citation.chunk_id} does not say {citation.quote!r} where it is quoted"
    if not 0 <= citation.start < citation.end <= len(answer):
        return f"{citation.chunk_id} is cited for a part that the answer does not have"
    return None
