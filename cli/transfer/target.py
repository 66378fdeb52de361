"""The target library of an import, and its cleanup after a failure."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from uuid import uuid4

import typer

from cli.interruption import Interrupted, interruptible
from cli.output.failures import advice
from cli.transfer.records import Origin, Settings
from cli.transfer.refusals import settings_refusal
from core.domain.errors import StorageError
from nalanda import Library, Nalanda, NalandaError, NotFoundError, ValidationError

Outcome = Literal["added", "changed", "unchanged"]
OUTCOMES: tuple[Outcome, ...] = ("added", "changed", "unchanged")


class Target:
    """The library of a name; `library` is `None` if the import will create it."""

    def __init__(self, client: Nalanda, name: str, library: Library | None) -> None:
        self.id = str(uuid4()) if library is None else library.id
        self.counts: Counter[Outcome] = Counter()
        self._client = client
        self._name = name
        self._is_new = library is None

    def ensure(self, settings: Settings, origin: Origin) -> None:
        """Create the library if it is missing.

        Raises:
            StorageError: the server refuses the settings.
        """
        if not self._is_new:
            return
        try:
            # An id of this import's own, so that a retry after a lost response is safe.
            self._client.libraries.replace(self.id, self._name, **settings)
        except ValidationError as error:
            if any(fault.pointer == "/name" for fault in error.errors):
                raise
            raise settings_refusal(origin, error) from error

    @contextmanager
    def abandon_on_failure(self) -> Iterator[None]:
        """Remove a library that this import created, or report the import's progress.

        Raises:
            StorageError: the failure, and the remaining state.
        """
        with interruptible():
            try:
                yield
            except Interrupted:
                typer.echo(f"nalanda: Interrupted. {self._abandon()}", err=True)
                raise
            except Exception as error:
                left = self._abandon()
                line = advice(error)
                if line is None:
                    raise
                raise StorageError(f"{line} {left}") from error

    def summary(self) -> str:
        return ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in OUTCOMES)

    def _abandon(self) -> str:
        """Remove the library or not; return a sentence about the remaining state."""
        if not self._is_new:
            return f"Documents done before: {self.summary()}. Run the import again for the rest."
        try:
            self._client.libraries.delete(self.id)
        except NotFoundError:
            pass
        except NalandaError as error:
            return (
                f"The library {self._name}, created by this import, could not be removed "
                f"({error}). Run the import again, or `nalanda library delete {self._name}`."
            )
        return "Nothing was imported."
