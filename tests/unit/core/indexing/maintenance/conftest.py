from collections.abc import Iterator

import pytest

from tests.unit.core.indexing.maintenance.setting import Setting


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Setting]:
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.FLUSH_ROWS", 40)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy.SMALL_ROWS", 20)
    monkeypatch.setattr("core.indexing.maintenance.merge_policy._VACUUM_ROWS", 10)
    setting = Setting()
    yield setting
    setting.builder.close()
