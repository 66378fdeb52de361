"""`nalanda doctor`."""

import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

import apsw
import typer
from pydantic_settings import DotEnvSettingsSource
from rich.text import Text

from cli import temporal_server
from cli.connection import connect, locate_api
from cli.output.terminal import console
from core.adapters.registry import engine_of
from core.domain.errors import StorageError
from core.providers.registry import choose
from core.settings import Settings, variables_of
from nalanda import (
    AuthenticationError,
    InvalidCertificates,
    InvalidProxy,
    NalandaError,
    PermissionDeniedError,
    ProxyFailed,
)
from workflows.client import connect as connect_to_temporal

NEEDED_PYTHON = (3, 11)
NEEDED_SQLITE = (3, 51, 3)
ANSWER_S = 3.0
_WORKERS = (
    ("worker", "worker", "questions"),
    ("ingest_worker", "worker of ingestions", "ingestions"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check; `remedy` says what to do about a missing requirement."""

    subject: str
    state: str
    remedy: str | None = None


def doctor() -> None:
    """Check the environment, and report what is missing."""
    out = console()
    sound = True
    for finding in run_checks(Settings()):
        out.print(_line(finding))
        sound = sound and finding.remedy is None
    if not sound:
        raise typer.Exit(1)


def run_checks(settings: Settings) -> Iterator[Finding]:
    """Yield each finding as soon as its check ends."""
    yield _settings()
    yield _python()
    yield _sqlite()
    yield _data_dir(settings)
    yield _database(settings)
    yield _providers(settings)
    temporal = asyncio.run(_temporal(settings))
    yield temporal
    yield _temporal_binary(needed=temporal.remedy is not None)
    yield _api(settings)
    yield from _workers(settings)


def _settings() -> Finding:
    environment = _ours(os.environ)
    file = _ours(DotEnvSettingsSource(Settings).env_vars)
    state = f"set in the environment: {', '.join(sorted(environment)) or 'none'}"
    if file:
        state += f"; in .env: {', '.join(map(_overridden(environment), sorted(file)))}"
    return Finding("settings", state)


def _ours(variables: Mapping[str, str | None]) -> set[str]:
    """Return the names of Nalanda's variables that are set and not empty."""
    names = {name.upper() for name, value in variables.items() if value}
    aliases = set(chain.from_iterable(map(variables_of, Settings.model_fields)))
    return {name for name in names if name.startswith("NALANDA_") or name in aliases}


def _overridden(environment: Container[str]) -> Callable[[str], str]:
    return lambda name: f"{name} (the environment overrides it)" if name in environment else name


def _python() -> Finding:
    remedy = None if sys.version_info >= NEEDED_PYTHON else "Install Python 3.11 or newer."
    return Finding("Python", platform.python_version(), remedy)


def _sqlite() -> Finding:
    version = apsw.sqlite_lib_version()
    numbers = tuple(int(part) for part in version.split("."))
    remedy = None if numbers >= NEEDED_SQLITE else "Install apsw 3.51.3 or newer."
    return Finding("SQLite", version, remedy)


def _data_dir(settings: Settings) -> Finding:
    """Check that the data directory is writable, or can be created."""
    path = settings.data_dir.absolute()
    existing = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=existing):
            state = str(path) if existing == path else f"{path}, to be created"
            return Finding("data directory", state)
    except OSError as error:
        remedy = "Set NALANDA_DATA_DIR to a writable folder."
        return Finding("data directory", f"{existing}: {error.strerror}", remedy)


def _database(settings: Settings) -> Finding:
    try:
        return Finding("database", engine_of(settings).describe())
    except StorageError as error:
        remedy = "Set NALANDA_DATABASE_URL to another database, or unset it."
        return Finding("database", str(error), remedy)


def _providers(settings: Settings) -> Finding:
    roles = choose(settings)
    embed = ", ".join(factory.name for factory in roles.embed)
    state = f"embed: {embed}; rerank: {roles.rerank.name}; answer: {roles.answer.name}"
    lacks = [lack for f in roles.factories.values() if (lack := f.missing(settings))]
    remedy = " ".join((*lacks, "Or set NALANDA_PROVIDER=local.")) if lacks else None
    return Finding("providers", state, remedy)


async def _temporal(settings: Settings) -> Finding:
    address, namespace = settings.temporal_address, settings.temporal_namespace
    try:
        async with asyncio.timeout(ANSWER_S):
            await connect_to_temporal(address, namespace)
    except (RuntimeError, TimeoutError):
        remedy = "Start one with `nalanda up`, or set NALANDA_TEMPORAL_ADDRESS."
        return Finding("Temporal", f"no server responds at {address}", remedy)
    return Finding("Temporal", f"{address}, namespace {namespace}")


def _temporal_binary(*, needed: bool) -> Finding:
    try:
        return Finding("temporal binary", str(temporal_server.find_binary()))
    except temporal_server.TemporalNotFound as error:
        return Finding("temporal binary", "none", str(error) if needed else None)


def _api(settings: Settings) -> Finding:
    settings = locate_api(settings)
    state = settings.api_url
    try:
        with connect(settings, max_retries=0) as client:
            version, readiness = client.version().version, client.ready()
            state += f", version {version}"
            if not readiness.ready:
                detail = "; ".join(
                    f"{part}: {its_state}" for part, its_state in readiness.checks.items()
                )
                return Finding("API", f"{state}, not ready: {detail}", "See its log.")
            next(client.libraries.list(page_size=1), None)  # the calls above need no key
    except AuthenticationError:
        detail = "refuses the key" if settings.api_keys else "requires a key"
        remedy = "Set NALANDA_API_KEYS to one of the server's keys."
        return Finding("API", f"{state}, {detail}", remedy)
    except PermissionDeniedError as error:
        remedy = "Set NALANDA_API_URL to an address that the server serves."
        return Finding("API", f"{settings.api_url}: {error}", remedy)
    except (InvalidCertificates, InvalidProxy, ProxyFailed) as error:
        return Finding("API", str(error), "Correct the environment, or set NALANDA_API_URL.")
    except NalandaError as error:
        remedy = "Start one with `nalanda up`, or set NALANDA_API_URL."
        return Finding("API", str(error), remedy)
    return Finding("API", state)


def _workers(settings: Settings) -> Iterator[Finding]:
    """Yield whether workers poll, if the API and its Temporal server can tell."""
    try:
        with connect(locate_api(settings), max_retries=0) as client:
            checks = client.ready().checks
    except NalandaError:
        return
    for check, subject, polled in _WORKERS:
        state = str(checks.get(check, "unknown"))
        if state == "ok":
            yield Finding(subject, f"polls for {polled}")
        elif not state.startswith("unknown"):
            yield Finding(subject, state, "Start one with `nalanda worker`.")


def _line(finding: Finding) -> Text:
    mark = ("✓ ", "green") if finding.remedy is None else ("✗ ", "red")
    line = Text.assemble(mark, (f"{finding.subject}: ", "bold"), " ".join(finding.state.split()))
    return line if finding.remedy is None else line.append(f" → {finding.remedy}", style="yellow")
