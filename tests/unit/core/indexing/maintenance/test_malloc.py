"""Where there is nothing to call, nothing is called."""

import pytest

from core.indexing.maintenance import malloc


def test_memory_is_given_back_where_the_allocator_can(monkeypatch: pytest.MonkeyPatch) -> None:
    malloc.trim()
    monkeypatch.setattr(malloc, "_C", None)
    malloc.trim()
