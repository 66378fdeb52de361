"""Checks of what a question asks for against its library."""

from collections.abc import Mapping
from typing import Any

from api.questions.starting import MAX_REQUEST_BYTES
from api.wire.questions import AdjustmentRequest, BudgetRequest, QuestionRequest, RerunRequest
from core.bootstrap import Core
from core.contracts.budget import Budget
from core.contracts.query import QueryRequest
from core.domain import filters
from core.domain.errors import Invalid
from core.indexing.views.view import LibraryView
from core.settings import Settings


def pin_question(core: Core, settings: Settings, body: QuestionRequest) -> QueryRequest:
    """Build the workflow's request, pinned to the current position and the library's model.

    Raises:
        NotFound: there is no such library.
        Invalid: the request or the library does not allow the question.
    """
    state = core.catalog.state
    view = state.library(body.library)
    _check_filter(view, body.filter)
    return QueryRequest(
        library_id=view.library.id,
        embedding_model=_model_of(core, view, body.mode, "/library"),
        min_position=state.position,
        instance_id=core.store.instance_id,
        budget=budget_of(settings, body.budget),
        **body.model_dump(exclude={"library", "budget"}),
    )


def budget_of(settings: Settings, body: BudgetRequest | None) -> Budget | None:
    """Return the budget that a request sets, with the settings' default for what it leaves out."""
    asked = body or Budget()
    budget = Budget(
        tokens=asked.tokens or settings.budget_tokens, calls=asked.calls or settings.budget_calls
    )
    return None if budget == Budget() else budget


def check_adjustment(core: Core, library_id: str, body: AdjustmentRequest | RerunRequest) -> None:
    """Check new parameters of a question to a library.

    Raises:
        NotFound: the library is gone.
        Invalid: the library does not allow them.
    """
    view = core.catalog.state.library(library_id)
    _check_filter(view, body.filter)
    if len(body.model_dump_json()) > MAX_REQUEST_BYTES:
        raise Invalid.at("/filter", f"A filter must have at most {MAX_REQUEST_BYTES} bytes.")
    if "mode" in body.model_fields_set:
        _model_of(core, view, body.mode, "/mode")


def _check_filter(view: LibraryView, condition: Mapping[str, Any] | None) -> None:
    if condition is not None:
        filters.parse(condition, view.library.metadata_schema, "/filter")


def _model_of(core: Core, view: LibraryView, mode: str, pointer: str) -> str | None:
    """Return the model that embeds a question; `None` for a lexical one.

    Raises:
        Invalid: the library has vectors and no model.
    """
    model = view.library.embedding_model
    if mode == "lexical":
        return None
    if model is None and view.vectors:
        detail = (
            "The library has client-supplied vectors and no embedding model, so the server cannot"
        )
        raise Invalid.at(pointer, f"{detail} embed the question: use the mode lexical.")
    return model or core.default_model
