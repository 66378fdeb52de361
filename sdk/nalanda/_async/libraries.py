"""`client.libraries`."""

from collections.abc import AsyncIterator
from typing import Unpack

from nalanda._async.polling import watch_states
from nalanda._async.transport import Transport
from nalanda._models.entities import Library
from nalanda._models.model_changes import (
    ModelChange,
    ModelChangeHandle,
    ModelChangeState,
    ModelChangeStep,
)
from nalanda._options import Json, LibraryOptions, given_options, pack_embeddings
from nalanda._requests import Request, create_request, path_of, query_of, write_request

FIRST_POLL_S = 0.05


class Libraries:
    """Methods of libraries; `library` is an id or a name."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def create(self, name: str, **options: Unpack[LibraryOptions]) -> Library:
        """Create a library.

        Raises:
            ConflictError: the name is taken.
        """
        body = given_options({"name": name, **options})
        return await self._transport.fetch(Library, create_request("/libraries", body))

    async def get(self, library: str) -> Library:
        return await self._transport.fetch(Library, Request("GET", path_of("libraries", library)))

    async def replace(
        self,
        library_id: str,
        name: str,
        *,
        if_match: int | str | None = None,
        **options: Unpack[LibraryOptions],
    ) -> Library:
        """Create the library with this id, or replace its settings; its contents stay."""
        body = given_options({"name": name, **options})
        request = write_request("PUT", path_of("libraries", library_id), body, if_match=if_match)
        return await self._transport.fetch(Library, request)

    async def update(
        self, library: str, patch: Json, *, if_match: int | str | None = None
    ) -> Library:
        """Apply a JSON merge patch, which sets the fields that it names and removes those with
        `None`.
        """
        path = path_of("libraries", library)
        request = write_request("PATCH", path, pack_embeddings(patch), if_match=if_match)
        return await self._transport.fetch(Library, request)

    async def delete(self, library: str, *, if_match: int | str | None = None) -> None:
        """Delete the library with all of its documents and chunks."""
        path = path_of("libraries", library)
        await self._transport.send(write_request("DELETE", path, if_match=if_match))

    def list(self, name: str | None = None, *, page_size: int = 100) -> AsyncIterator[Library]:
        """List all libraries, or the one with this name."""
        params = query_of(name=name, limit=page_size)
        return self._transport.pages(Library, Request("GET", "/libraries", params))

    async def change_model(
        self, library: str, model: str, *, idempotency_key: str | None = None
    ) -> ModelChangeHandle:
        """Start to move a library to another embedding model, while it serves.

        Raises:
            ConflictError: the library has the model, or another change is in progress.
            ValidationError: the server does not have the model, or the library has none.
        """
        path = path_of("libraries", library, "embedding-model")
        request = create_request(path, {"model": model}, key=idempotency_key)
        return await self._transport.fetch(ModelChangeHandle, request)

    async def model_change(self, library: str) -> ModelChange:
        """Return the last change of the library's model."""
        path = path_of("libraries", library, "embedding-model")
        return await self._transport.fetch(ModelChange, Request("GET", path))

    def watch_model_change(
        self, library: str, *, timeout_s: float | None = None
    ) -> AsyncIterator[ModelChange]:
        """Yield the state of the last change now and after each difference, until it has ended.

        Raises:
            TimedOut: the change was not over in time. It still runs.
        """
        return watch_states(
            lambda: self.model_change(library),
            f"The change of the model of {library}",
            first_poll_s=FIRST_POLL_S,
            timeout_s=timeout_s,
        )

    async def wait_for_model_change(
        self, library: str, *, timeout_s: float | None = None
    ) -> ModelChange:
        """Wait for the end of the last change, and return its last state.

        Raises:
            TimedOut: the change was not over in time. It still runs.
        """
        states = [state async for state in self.watch_model_change(library, timeout_s=timeout_s)]
        return states[-1]

    async def revert_model(
        self, library: str, *, idempotency_key: str | None = None
    ) -> ModelChangeHandle:
        """Start to move a library back to the model before the last change.

        Raises:
            ConflictError: there is nothing to revert, or a change is in progress.
        """
        path = path_of("libraries", library, "embedding-model", "revert")
        request = create_request(path, None, key=idempotency_key)
        return await self._transport.fetch(ModelChangeHandle, request)

    async def cancel_model_change(self, library: str) -> None:
        """Cancel a change or a revert in progress; the library keeps its model.

        Raises:
            ConflictError: nothing is in progress.
        """
        path = path_of("libraries", library, "embedding-model", "cancel")
        await self._transport.send(create_request(path, None))

    async def forget_previous_model(self, library: str) -> None:
        """Delete the embeddings of the model before the last change, which ends its revert.

        Raises:
            ConflictError: a change is in progress.
        """
        path = path_of("libraries", library, "embedding-model", "previous")
        await self._transport.send(Request("DELETE", path))

    async def advance_model_change(
        self, library: str, *, model: str, state: ModelChangeState, after: str = ""
    ) -> ModelChangeStep:
        """Do the next step of a change in progress; workers call it until the state differs.

        Raises:
            ConflictError: the library is not being moved to the model.
        """
        path = path_of("libraries", library, "embedding-model", "advance")
        body = {"model": model, "state": state, "after": after}
        return await self._transport.fetch(ModelChangeStep, Request("POST", path, body=body))
