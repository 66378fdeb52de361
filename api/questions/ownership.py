"""Ownership of questions on a Temporal cluster that several instances share."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from temporalio.client import WorkflowExecution

from api.http.dependencies import CoreOf
from core.bootstrap import Core
from core.contracts.names import INSTANCE_MARK, LIBRARY_ATTRIBUTE, question_prefix
from core.domain.errors import NotFound
from workflows import search_attributes

MAX_OLD_LIBRARIES = 100
"""Maximum number of libraries that a listing searches for questions without an instance."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """An instance's id and the ids of its libraries.

    A workflow id names the question's instance. A workflow from before instances had ids does not,
    so its library decides.
    """

    instance_id: str
    library_ids: AbstractSet[str]

    def require_possible(self, workflow_id: str) -> None:
        """Check that the id can be one of this instance's questions.

        Raises:
            NotFound: the id names another instance.
        """
        prefix = question_prefix(self.instance_id)
        if workflow_id.startswith(INSTANCE_MARK) and not workflow_id.startswith(prefix):
            raise NotFound("question", workflow_id)

    def require(self, execution: WorkflowExecution) -> None:
        """Check that the question is this instance's.

        Raises:
            NotFound: the question is another instance's.
        """
        self.require_possible(execution.id)
        if execution.id.startswith(INSTANCE_MARK):
            return
        library_id = execution.typed_search_attributes.get(search_attributes.LIBRARY)
        if library_id not in self.library_ids:
            raise NotFound("question", execution.id)

    def condition(self, library_id: str | None) -> str:
        """Return the visibility condition of this instance's questions, or those of one library."""
        ours = f"WorkflowId STARTS_WITH '{question_prefix(self.instance_id)}'"
        old = sorted(self.library_ids) if library_id is None else [library_id]
        if 0 < len(old) <= MAX_OLD_LIBRARIES:
            names = ", ".join(f"'{name}'" for name in old)
            without = f"WorkflowId NOT STARTS_WITH '{INSTANCE_MARK}'"
            return f"({ours} OR ({without} AND {LIBRARY_ATTRIBUTE} IN ({names})))"
        return ours


def ownership_of(core: Core) -> Ownership:
    return Ownership(core.store.instance_id, core.catalog.state.library_ids)


async def _ownership(core: CoreOf) -> Ownership:
    return ownership_of(core)


OwnershipOf = Annotated[Ownership, Depends(_ownership)]
