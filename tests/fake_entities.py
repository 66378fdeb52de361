"""Fake in memory of the entities of a class."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from core.domain.entity import Entity
from core.domain.errors import NotFound
from tests.fake_state import State

N = TypeVar("N", bound=Entity)


class FakeEntities(Generic[N]):
    def __init__(self, state: State, entity: type[N]) -> None:
        self._state = state
        self._kind = entity.kind

    def get(self, library_id: str, id_: str) -> N:
        try:
            return self._of(library_id)[id_]
        except KeyError:
            raise NotFound(self._kind.replace("_", " "), id_) from None

    def get_many(self, library_id: str, ids: Sequence[str]) -> dict[str, N]:
        entities = self._of(library_id)
        return {id_: entities[id_] for id_ in ids if id_ in entities}

    def page(self, library_id: str, *, after: str | None, limit: int) -> list[N]:
        entities = self._of(library_id)
        return [entities[id_] for id_ in sorted(entities) if id_ > (after or "")][:limit]

    def put(self, entity: N) -> None:
        self._state.entities[self._kind, entity.library_id, entity.id] = entity

    def delete(self, library_id: str, id_: str) -> None:
        self._state.entities.pop((self._kind, library_id, id_), None)

    def _of(self, library_id: str) -> dict[str, N]:
        prefix = (self._kind, library_id)
        return {key[2]: entity for key, entity in self._state.entities.items() if key[:2] == prefix}
