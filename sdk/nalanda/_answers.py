"""Answers as models, and the position that they carry."""

from threading import Lock
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from nalanda._errors import unexpected_answer

POSITION = "Nalanda-Position"
M = TypeVar("M", bound=BaseModel)


class Page(BaseModel):
    items: list[dict[str, Any]]
    next_cursor: str | None = None


def parsed(model: type[M], response: httpx.Response) -> M:
    """The body as a model.

    Raises:
        UnexpectedAnswerError: it is not that.
    """
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise unexpected_answer(response, error) from error


def page_of(model: type[M], response: httpx.Response) -> tuple[list[M], str | None]:
    """The items of one page, and the cursor of the next if there is one.

    Raises:
        UnexpectedAnswerError: the body is no page of these.
    """
    page = parsed(Page, response)
    try:
        return [model.model_validate(item) for item in page.items], page.next_cursor
    except ValidationError as error:
        raise unexpected_answer(response, error) from error


class HighestPosition:
    """The highest position that an answer carried; threads may share a client."""

    def __init__(self) -> None:
        self.value = 0
        self._lock = Lock()

    def see(self, response: httpx.Response) -> None:
        position = response.headers.get(POSITION, "")
        if position.isdecimal():
            with self._lock:
                self.value = max(self.value, int(position))
