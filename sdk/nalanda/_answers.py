"""Parsing of responses into models."""

from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from nalanda._errors import unexpected_answer

M = TypeVar("M", bound=BaseModel)


class Page(BaseModel):
    items: list[dict[str, Any]]
    next_cursor: str | None = None


def parse_body(model: type[M], response: httpx.Response) -> M:
    """Parse the body as a model.

    Raises:
        UnexpectedAnswerError: the body does not fit the model.
    """
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise unexpected_answer(response, error) from error


def page_of(model: type[M], response: httpx.Response) -> tuple[list[M], str | None]:
    """Return the items of a page, and the cursor of the next one, if any.

    Raises:
        UnexpectedAnswerError: the body is not a page of these items.
    """
    page = parse_body(Page, response)
    try:
        return [model.model_validate(item) for item in page.items], page.next_cursor
    except ValidationError as error:
        raise unexpected_answer(response, error) from error
