"""The parts that all views of one process share, apart from their rows."""

from dataclasses import dataclass, field

from core.indexing.segment.delta_search import DeltaSearch
from core.indexing.vectors.search_activity import SearchActivity


@dataclass(frozen=True, slots=True)
class SearchRuntime:
    """The scan of deltas, and the searches that builds yield to; no result depends on it."""

    delta: DeltaSearch = field(default_factory=DeltaSearch)
    activity: SearchActivity = field(default_factory=SearchActivity)
