"""The storage engines, by the scheme of a database URL."""

from collections.abc import Callable, Mapping
from pathlib import Path

from core.adapters.sqlite.engine import SqliteEngine
from core.domain.errors import StorageError
from core.ports.engine import Engine
from core.settings import Settings


def _open_postgres(url: str, data_dir: Path) -> Engine:
    from core.adapters.postgres.engine import PostgresEngine  # its driver loads for 0.1 s

    return PostgresEngine(url, data_dir)


_BY_SCHEME: Mapping[str, Callable[[str, Path], Engine]] = {
    "postgresql": _open_postgres,
    "postgres": _open_postgres,
}


def engine_of(settings: Settings) -> Engine:
    """Return the engine that the settings name; without a URL, SQLite in the data directory.

    Raises:
        StorageError: the URL can't be parsed, or no engine has its scheme.
    """
    if settings.database_url is None:
        return SqliteEngine(settings.data_dir)
    url = settings.database_url.get_secret_value()
    scheme, _, rest = url.partition("://")
    if not rest or scheme not in _BY_SCHEME:
        known = " or ".join(f"{scheme}://" for scheme in _BY_SCHEME)
        raise StorageError(
            f"NALANDA_DATABASE_URL must begin with {known}; unset it to store in SQLite."
        )
    return _BY_SCHEME[scheme](url, settings.data_dir)
