"""Removal of the documents that a cancelled ingestion added."""

from contextlib import suppress

from activities.ingest_file import document_id, has_content, was_added
from core.contracts.ingest import Manifest, RemoveInput, RemoveOutput
from nalanda import AsyncNalanda, ConflictError, NotFoundError


async def remove_added(
    client: AsyncNalanda, given: RemoveInput, manifest: Manifest, ingestion: str
) -> RemoveOutput:
    """Delete the documents that the ingestion added and that are still as it wrote them.

    Raises:
        NalandaError: the API is unavailable.
    """
    with suppress(ConflictError):  # closed meanwhile, so nothing writes for it
        await client.ingestions.cancel(ingestion)  # the API refuses its writes from now on
    places = {document_id(manifest.items[place]): place for place in given.versions}
    versions = {id_: given.versions[place] for id_, place in places.items()}
    try:
        doubtful = await _find_doubtful(client, given, manifest)
        added = versions | {id_: version for id_, (_, version) in doubtful.items()}
        kept = set((await client.documents.delete_many(given.library_id, added)).changed)
    except NotFoundError:  # the library is gone, and the documents with it
        return RemoveOutput()
    return RemoveOutput(
        kept=[place for id_, place in places.items() if id_ in kept],
        found={
            place: manifest.items[place].source
            for id_, (place, _) in doubtful.items()
            if id_ not in kept
        },
    )


async def _find_doubtful(
    client: AsyncNalanda, given: RemoveInput, manifest: Manifest
) -> dict[str, tuple[int, int]]:
    """Return the place and version of documents that the ingestion wrote without a report, by id.

    Such a document is new since the ingestion began, and has the content of the file.
    """
    places = {document_id(manifest.items[place]): place for place in given.doubtful}
    stored = await client.documents.get_many(given.library_id, list(places))
    return {
        id_: (places[id_], document.version)
        for id_, document in stored.items()
        if was_added(document, given) and has_content(document, manifest.items[places[id_]])
    }
