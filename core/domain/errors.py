"""The exceptions of the project, as one tree.

    NalandaError
    ├── NotFound            the thing named is not there
    ├── Conflict            it is there already, or something stands in the way
    ├── PreconditionFailed  the caller's version is not the current one
    ├── Invalid             the input breaks a rule; `faults` point into it
    ├── WrongInstance       the call is meant for another instance, with another database
    ├── Unavailable         not now; `retry_after_s` says when to ask again
    │   ├── Behind          this node has not reached the position asked for
    │   ├── NotLeading      another process writes; this one has changed nothing
    │   └── NotHeld         the index of the library is on other nodes
    ├── ProviderError       an embedding, rerank or answer service failed
    │   ├── ProviderRejected     it will never accept this (key, input, model)
    │   │   └── BudgetSpent      the question may not call it any more
    │   └── ProviderUnavailable  it may accept it later; `retry_after_s` if it said when
    └── StorageError        the storage of record can't be opened, read or written
        ├── StorageFull     no room is left for a write; reads go on
        ├── StorageUnavailable  it refuses for now: read-only, no permission, a failing disk
        └── DataDirInUse    another process has the data directory

No class here knows of HTTP or Temporal: `api/http/errors.py` and `activities/errors.py` are the
two places that translate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC

_MAX_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: its place in the input (a JSON pointer, RFC 6901) and a text."""

    pointer: str
    detail: str


class NalandaError(Exception):
    """The root of the tree; an error's text is written for the caller."""


class NotFound(NalandaError):
    """A thing that is not there; `position` is that of the state that lacks it, if one was read."""

    def __init__(self, kind: str, name: str, *, position: int | None = None) -> None:
        super().__init__(f"There is no {kind} {name!r}.")
        self.kind = kind
        self.name = name
        self.position = position


class Conflict(NalandaError):
    pass


class PreconditionFailed(NalandaError):
    pass


class Invalid(NalandaError):
    """Input that breaks a rule, with one `Fault` for each place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        shown = [f"{f.pointer or '/'}: {f.detail}" for f in faults[:_MAX_SHOWN]]
        if len(faults) > _MAX_SHOWN:
            shown.append(f"and {len(faults) - _MAX_SHOWN} more")
        super().__init__("; ".join(shown))
        self.faults = tuple(faults)

    @classmethod
    def at(cls, pointer: str, detail: str) -> "Invalid":
        return cls([Fault(pointer, detail)])


class WrongInstance(NalandaError):
    """A call for another instance; the text shortens instance ids as task queues' names do."""

    def __init__(self, *, wanted: str, own: str) -> None:
        super().__init__(
            f"The call is for the instance {wanted[:12]}, and the API here is the instance "
            f"{own[:12]}. Give each instance its own worker (NALANDA_API_URL) and task queue "
            "(NALANDA_TASK_QUEUE)."
        )


class Unavailable(NalandaError):
    def __init__(self, detail: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class Behind(Unavailable):
    def __init__(self, *, wanted: int, reached: int) -> None:
        super().__init__(f"Position {wanted} was asked for; this node has reached {reached}.")
        self.reached = reached


class NotLeading(Unavailable):
    """A write, or another task of the leader, in a process that does not lead, or no longer."""


class NotHeld(Unavailable):
    """A read of the index of a library that is placed on other nodes."""

    def __init__(self, library_id: str) -> None:
        super().__init__(f"This node does not hold the library {library_id!r}. Retry later.")
        self.library_id = library_id


class ProviderError(NalandaError):
    pass


class ProviderRejected(ProviderError):
    pass


class BudgetSpent(ProviderRejected):
    pass


class ProviderUnavailable(ProviderError):
    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class StorageError(NalandaError):
    pass


class StorageFull(StorageError):
    pass


def is_full(error: OSError) -> bool:
    """Return whether the error means a full disk or a used-up quota."""
    return error.errno in {ENOSPC, EDQUOT}


class StorageUnavailable(StorageError):
    """A failure that an operator has to end; `retry_after_s` is a guess."""

    retry_after_s = 5.0


class DataDirInUse(StorageError):
    def __init__(self, directory: str, pid: str) -> None:
        super().__init__(f"The data directory {directory} is in use by process {pid}.")
