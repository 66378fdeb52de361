"""Chains of backups: a full one, and the incremental ones that lead on to a position."""

from collections.abc import Iterator, Sequence

from core.backup.manifest import Manifest
from core.domain.errors import StorageError


def chain_to(manifests: Sequence[Manifest], position: int) -> list[Manifest]:
    """Return the backups that lead to a position, in order; the last may go beyond it.

    Raises:
        StorageError: no backups lead to the position; the text has the positions that they reach.
    """
    for full in _fulls(manifests):
        if full.end <= position and (chain := _from(full, manifests, position)):
            return chain
    reach = " and ".join(f"{first} to {last}" for first, last in reachable_ranges(manifests))
    raise StorageError(f"No backup leads to position {position}; there are {reach or 'none'}.")


def reachable_ranges(manifests: Sequence[Manifest]) -> list[tuple[int, int]]:
    """Return the ranges of positions that can be restored, both ends included, in order."""
    ranges: list[tuple[int, int]] = []
    for full in reversed(_fulls(manifests)):
        *_, last = full.end, *(link.end for link in _links(full, manifests))
        if ranges and full.end <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(last, ranges[-1][1]))
        else:
            ranges.append((full.end, last))
    return ranges


def _fulls(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Return the full backups, newest first."""
    return sorted((m for m in manifests if m.full), key=lambda m: m.end, reverse=True)


def _from(full: Manifest, manifests: Sequence[Manifest], position: int) -> list[Manifest] | None:
    chain = [full]
    for link in _links(full, manifests):
        if chain[-1].end >= position:
            break
        chain.append(link)
    return chain if chain[-1].end >= position else None


def _links(full: Manifest, manifests: Sequence[Manifest]) -> Iterator[Manifest]:
    by_start = {m.start: m for m in sorted(manifests, key=lambda m: m.end) if not m.full}
    end = full.end
    while link := by_start.get(end):
        yield link
        end = link.end
