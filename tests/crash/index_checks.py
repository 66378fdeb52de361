"""Comparison of the index with the record: rows, ranking and filters."""

import json
import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from tests.crash.model import DIMENSION, SHARED
from tests.crash.record import IndexedRow, Record
from tests.crash.requests import BY_WORD, of_writer

MOST_HITS = 10_000
"""Maximum `k` of a search."""
_FEW = 10
_SHOWN = 5


def check_index(api: httpx.Client, record: Record, rng: random.Random) -> list[str]:
    """Return the faults, one line each, beginning with `index:`; O(rows).

    No writes may run meanwhile.
    """
    faults: list[str] = []
    for library, rows in record.rows.items():
        query = np.array([rng.gauss(0, 1) for _ in range(DIMENSION)], np.float32)
        search = Search(api, library, rows, query)
        writer = rng.choice([row.metadata["writer"] for row in rows.values()] or [1])
        faults += [f"index: {library}: {what}" for what in search.faults(writer, record.position)]
    return faults


class Search:
    """A query to a library, and its expected results by the record."""

    def __init__(
        self,
        api: httpx.Client,
        library: str,
        rows: Mapping[str, IndexedRow],
        query: NDArray[np.float32],
    ) -> None:
        self._api = api
        self._library = library
        self._rows = rows
        self._query = query
        metric = str(SHARED.get(library, {}).get("metric", "cosine"))
        vectors = np.frombuffer(b"".join(row.vector for row in rows.values()), "<f4")
        scores = score(metric, vectors.reshape(-1, DIMENSION), query)
        self._scores = dict(zip(rows, scores.tolist(), strict=True))

    def faults(self, writer: int, position: int) -> list[str]:
        include = ["text", "metadata", "document", "embedding"]
        every = self._answer(k=MOST_HITS, exact=True, include=include)
        some = self._answer(k=_FEW)
        theirs = self._answer(k=MOST_HITS, filter=of_writer(writer))
        worded = self._post({"k": MOST_HITS, "include": [], **BY_WORD})
        ids = {id_ for id_, row in self._rows.items() if row.metadata["writer"] == writer}
        return [
            *self._position(every, position),
            *self._whole(every["hits"], set(self._rows)),
            *self._contents(every["hits"]),
            *self._check_ranking(every["hits"]),
            *self._count(some["hits"], min(_FEW, len(self._rows))),
            *self._check_ranking(some["hits"]),
            *self._whole(theirs["hits"], ids),
            *self._whole(worded["hits"], set(self._rows)),
            *self._check_listing(writer, ids),
        ]

    def _answer(self, **more: object) -> dict[str, Any]:
        return self._post({"embedding": self._query.tolist(), "include": [], **more})

    def _post(self, body: Mapping[str, object]) -> dict[str, Any]:
        answer = self._api.post(f"/libraries/{self._library}/search", json=body)
        answer.raise_for_status()
        result: dict[str, Any] = answer.json()
        return result

    def _position(self, answer: Mapping[str, Any], position: int) -> list[str]:
        at = answer["position"]
        return [] if at == position else [f"it is at {at}, and the record at {position}"]

    def _whole(self, hits: Sequence[Mapping[str, Any]], ids: set[str]) -> list[str]:
        shown = [hit["chunk_id"] for hit in hits]
        faults = self._count(hits, len(ids))
        if missing := sorted(ids - set(shown)):
            faults.append(f"it misses {missing[:_SHOWN]}")
        if strays := sorted(set(shown) - ids):
            faults.append(f"it shows {strays[:_SHOWN]}, which are not on record")
        return faults

    def _count(self, hits: Sequence[object], count: int) -> list[str]:
        return [] if len(hits) == count else [f"{len(hits)} hits, and {count} chunks match"]

    def _contents(self, hits: Sequence[Mapping[str, Any]]) -> list[str]:
        wrong = [hit for hit in hits if not _same(hit, self._rows.get(hit["chunk_id"]))]
        return [f"it shows {hit}, which the record has otherwise" for hit in wrong[:_SHOWN]]

    def _check_ranking(self, hits: Sequence[Mapping[str, Any]]) -> list[str]:
        """Compare scores with numpy's, in descending order."""
        faults = []
        for hit in hits:
            must = self._scores.get(hit["chunk_id"], math.nan)
            if not math.isclose(hit["score"], must, rel_tol=1e-4, abs_tol=1e-4):
                faults.append(f"{hit['chunk_id']!r} has the score {hit['score']}, and not {must}")
        order = [(-hit["score"], hit["chunk_id"]) for hit in hits]
        if order != sorted(order):
            faults.append("hits are not in order of their scores")
        return faults[:_SHOWN]

    def _check_listing(self, writer: int, ids: set[str]) -> list[str]:
        """Compare the first page of a filtered listing."""
        parameters = {"filter": json.dumps(of_writer(writer)), "limit": "100"}
        answer = self._api.get(f"/libraries/{self._library}/chunks", params=parameters)
        answer.raise_for_status()
        listed = [chunk["id"] for chunk in answer.json()["items"]]
        return [] if listed == sorted(ids)[:100] else [f"it lists {listed} of writer {writer}"]


def score(
    metric: str, vectors: NDArray[np.float32], query: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return `(n,)` scores of vectors `(n, d)` by the metric's definition, higher is better."""
    wide, wanted = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return -np.asarray(np.linalg.norm(wide - wanted, axis=1))
    dots = wide @ wanted
    if metric == "dot":
        return np.asarray(dots)
    return np.asarray(dots / (np.linalg.norm(wide, axis=1) * np.linalg.norm(wanted)))


def _same(hit: Mapping[str, Any], row: IndexedRow | None) -> bool:
    return row is not None and (
        hit["version"] == row.version
        and hit["document_id"] == row.document_id
        and hit["text"] == row.text
        and hit["metadata"] == row.metadata
        and hit["document"]["title"] == row.title
        and np.asarray(hit["embedding"], np.float32).tobytes() == row.vector
    )
