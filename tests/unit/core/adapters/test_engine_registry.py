"""The storage engine that the settings name."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from core.adapters.postgres.engine import PostgresEngine
from core.adapters.registry import engine_of
from core.adapters.sqlite.engine import SqliteEngine
from core.domain.errors import StorageError
from core.settings import Settings


def test_sqlite_without_a_url(tmp_path: Path) -> None:
    engine = engine_of(Settings(data_dir=tmp_path, database_url=None))
    assert isinstance(engine, SqliteEngine)
    assert engine.address == str(tmp_path / "nalanda.db")
    assert engine.restore_target() is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_postgresql_by_its_schemes(tmp_path: Path, scheme: str) -> None:
    url = SecretStr(f"{scheme}://u:s3cret@localhost:1/db")
    engine = engine_of(Settings(data_dir=tmp_path, database_url=url))
    assert isinstance(engine, PostgresEngine)
    assert (engine.address, engine.data_dir) == ("localhost:1/db", tmp_path)


@pytest.mark.parametrize("url", ["mysql://u:s3cret@h/db", "postgresql", "host=h password=s3cret"])
def test_an_unknown_scheme(url: str) -> None:
    with pytest.raises(StorageError, match="must begin with postgresql://") as caught:
        engine_of(Settings(database_url=SecretStr(url)))
    assert "s3cret" not in str(caught.value)
