"""Chains of backups: against a search through all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.backup.chain import chain_to, reachable_ranges
from core.backup.manifest import Kind, Manifest, stem_of
from core.domain.errors import StorageError

NOW = "2026-01-02T03:04:05.000000+00:00"


def backup(start: int, end: int | None = None) -> Manifest:
    """An incremental one, or a full one where only one position is given."""
    kind = Kind.FULL if end is None else Kind.INCREMENTAL
    last = start if end is None else end
    file = stem_of(kind, start, last) + ".db"
    return Manifest("db", kind, start, last, NOW, NOW, 3, file, 1, "00")


@st.composite
def repositories(draw: st.DrawFn) -> list[Manifest]:
    """Draw a repository: each incremental backup follows an earlier one; some are then lost."""
    made, end = [backup(0)], 0
    for step in draw(st.lists(st.integers(1, 5), max_size=8)):
        if draw(st.booleans()):
            made.append(backup(end, end + step))
        end += step
        if draw(st.booleans()) or made[-1].end != end:
            made.append(backup(end))
    return [manifest for manifest in made if draw(st.integers(0, 4))]


def leads_to(manifests: list[Manifest], position: int) -> bool:
    held = {m.end for m in manifests if m.full}
    for _ in manifests:
        for m in manifests:
            if not m.full and m.start in held:
                held.update(range(m.start, m.end + 1))
    return position in held


@given(repositories(), st.integers(0, 45))
def test_a_chain_leads_to_what_can_be_reached(manifests: list[Manifest], position: int) -> None:
    ranges = reachable_ranges(manifests)
    assert any(first <= position <= last for first, last in ranges) == leads_to(manifests, position)
    if not leads_to(manifests, position):
        with pytest.raises(StorageError, match=f"leads to position {position}"):
            chain_to(manifests, position)
        return
    full, *increments = chain = chain_to(manifests, position)
    assert full.full
    for before, after in zip(chain, increments, strict=False):
        assert not after.full
        assert after.start == before.end
    assert (chain[-1].start < position <= chain[-1].end) or chain == [full]


def test_the_newest_full_backup_makes_the_shortest_chain() -> None:
    manifests = [backup(0), backup(0, 5), backup(5), backup(5, 9)]
    assert chain_to(manifests, 7) == [backup(5), backup(5, 9)]
    assert chain_to(manifests, 5) == [backup(5)]
    assert chain_to(manifests, 3) == [backup(0), backup(0, 5)]


def test_a_position_out_of_reach_says_what_is_within() -> None:
    with pytest.raises(StorageError, match="there are 1 to 4 and 8 to 8"):
        chain_to([backup(1), backup(1, 4), backup(8)], 6)
    with pytest.raises(StorageError, match="there are none"):
        chain_to([], 6)


def test_a_manifest_reads_what_it_wrote() -> None:
    assert Manifest.from_json(backup(3, 9).to_json(), "m.json") == backup(3, 9)
