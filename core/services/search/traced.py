"""The search service with a span for each search, by the conventions for databases."""

from collections.abc import Sequence

from core.services.search.request import SearchRequest
from core.services.search.result import SearchResult
from core.services.search.service import SearchService
from core.tracing.conventions import (
    DB_BATCH_SIZE,
    DB_COLLECTION,
    DB_OPERATION,
    DB_ROWS,
    DB_SYSTEM,
    Value,
)
from core.tracing.spans import span

SYSTEM = "nalanda"


class TracedSearchService(SearchService):
    """A search service that is built in place of the plain one while tracing is on."""

    def search(self, request: SearchRequest) -> SearchResult:
        with span("search", attributes=self._attributes("search", request)) as current:
            result = super().search(request)
            current.set(DB_ROWS, len(result.hits))
            return result

    def search_many(self, requests: Sequence[SearchRequest]) -> list[SearchResult]:
        attributes = self._attributes("BATCH search", requests[0] if requests else None)
        attributes[DB_BATCH_SIZE] = len(requests)
        with span("BATCH search", attributes=attributes) as current:
            results = super().search_many(requests)
            current.set(DB_ROWS, sum(len(result.hits) for result in results))
            return results

    def _attributes(self, operation: str, request: SearchRequest | None) -> dict[str, Value]:
        """Return the attributes; the collection is the id of the library, where there is one."""
        attributes: dict[str, Value] = {DB_SYSTEM: SYSTEM, DB_OPERATION: operation}
        view = None if request is None else self._catalog.state.find(request.library)
        if view is not None:
            attributes[DB_COLLECTION] = view.library.id
        return attributes
