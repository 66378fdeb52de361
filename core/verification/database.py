"""Verification of a database and its data directory: the record, and the index built from it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from core.domain.errors import NalandaError
from core.indexing.checkpoints.paths import DIRECTORY
from core.indexing.views.catalog import Catalog
from core.indexing.views.digests import digest_of
from core.ports.engine import Engine, Inspection
from core.ports.store import Snapshot
from core.verification import checkpoints, index, record


@dataclass(frozen=True, slots=True)
class Subject:
    """The database under verification, in one read transaction; a server may run meanwhile."""

    engine: Engine
    inspection: Inspection
    full: bool
    on_digest: "OnDigest"

    @property
    def snapshot(self) -> Snapshot:
        return self.inspection.snapshot


Check: TypeAlias = Callable[[Subject], Iterator[str]]
"""Yields one line for each problem."""

OnCheck: TypeAlias = Callable[[str], None]
"""Called with the name of each check, before the check."""

OnDigest: TypeAlias = Callable[[int, str], None]
"""Called with the position of the record, and the digest of its state there."""


def _record(subject: Subject) -> Iterator[str]:
    own_checks = subject.inspection.problems
    return record.problems(subject.snapshot) if own_checks is None else own_checks()


def _log(subject: Subject) -> Iterator[str]:
    for position in subject.snapshot.log.broken_links():
        yield f"log: the hash of entry {position} does not follow from the entries before it"


def _index(subject: Subject) -> Iterator[str]:
    """Load the index as a start does; yield its problems, and those of its files."""
    try:
        directory = subject.engine.data_dir / DIRECTORY
        with checkpoints.load_index(directory, subject.snapshot) as (catalog, said):
            yield from said
            yield from index.problems(subject.snapshot, catalog, full=subject.full)
            yield from _digest(subject, catalog)
    except OSError as error:
        yield f"checkpoints: {error.filename}: {error.strerror}"


def _digest(subject: Subject, catalog: Catalog) -> Iterator[str]:
    """Report the record's digest; yield a line if the index has another one."""
    recorded, indexed = record.digest_of_record(subject.snapshot), digest_of(catalog.state)
    subject.on_digest(subject.snapshot.position, recorded)
    if indexed != recorded:
        yield f"index: its digest is {indexed}, and that of the record {recorded}"


CHECKS: Sequence[tuple[str, Check]] = (
    ("record", _record),
    ("log", _log),
    ("index", _index),
)
"""All checks, in the order in which they run."""


def problems(
    engine: Engine,
    *,
    full: bool = False,
    on_check: OnCheck = lambda _: None,
    on_digest: OnDigest = lambda *_: None,
) -> Iterator[str]:
    """Yield one line for each problem of a database and its data directory, once found."""
    try:
        with engine.inspect() as inspection:
            yield from _run_checks(Subject(engine, inspection, full, on_digest), on_check)
    except NalandaError as error:
        yield f"{engine.address}: {error}"


def _run_checks(subject: Subject, on_check: OnCheck) -> Iterator[str]:
    """Run all checks; an error that ends one check is a problem, and the next check runs."""
    for name, check in CHECKS:
        on_check(name)
        try:
            with subject.inspection.errors():
                yield from check(subject)
        except NalandaError as error:
            yield str(error)
        except (ValueError, KeyError, TypeError) as error:
            yield f"{name}: the record can't be read: {error}"
