"""The file of an evaluation: JSON Lines, a question with what is known of its answer on each."""

import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class BadFile(Exception):
    """A file that is no file of questions, or does not fit the library."""


def _check_distinct(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(texts)) < len(texts):
        raise PydanticCustomError("distinct", "The same value occurs twice.")
    return texts


Texts = Annotated[tuple[Text, ...], AfterValidator(_check_distinct)]


class Question(BaseModel):
    """A question, and the sources, chunks or answers that are right for it.

    `sources`: of documents, whole or their last parts ("guide/install.md"). `answers`:
    alternatives, any of which is right. `answerable`: false for a question about nothing in the
    library.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Annotated[Text, Field(max_length=10_000)]
    id: Text | None = None
    sources: Texts = ()
    chunks: Texts = ()
    answers: Texts = ()
    answerable: Annotated[bool, Field(strict=True)] = True
    filter: dict[str, Any] | None = None
    tags: Texts = ()

    @model_validator(mode="after")
    def _check_expectation(self) -> Self:
        expected = bool(self.sources or self.chunks or self.answers)
        if self.answerable and not expected:
            raise PydanticCustomError(
                "expectation",
                "A question must have sources, chunks or answers, or answerable: false.",
            )
        if expected and not self.answerable:
            raise PydanticCustomError(
                "expectation", "A question that is not answerable has no sources, chunks, answers."
            )
        return self


class NumberedQuestion(BaseModel):
    """A question with its line, which stands in for a missing id."""

    model_config = ConfigDict(frozen=True)

    line: int
    question: Question

    @property
    def id(self) -> str:
        return self.question.id or f"line {self.line}"


def read_questions(path: Path) -> list[NumberedQuestion]:
    """Read the file; blank lines are skipped.

    Raises:
        BadFile: a line is invalid, an id is there twice, or there is no question.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise BadFile(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadFile(f"{path} is not UTF-8 text.") from None
    questions = [
        NumberedQuestion(line=number, question=_parse(path, number, line))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]
    if not questions:
        raise BadFile(f"{path} has no questions.")
    _check_ids(path, questions)
    return questions


def _parse(path: Path, number: int, line: str) -> Question:
    try:
        return Question.model_validate(json.loads(line))
    except ValidationError as error:
        fault = error.errors()[0]
        where = "".join(f"/{part}" for part in fault["loc"])
        raise BadFile(f"{path}: line {number}{where and f': {where}'}: {fault['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise BadFile(f"{path}: line {number}: This must be JSON: {error}") from None


def _check_ids(path: Path, questions: list[NumberedQuestion]) -> None:
    lines: dict[str, int] = {}
    for one in questions:
        if one.id in lines:
            raise BadFile(
                f"{path}: line {one.line}: Line {lines[one.id]} also has the id {one.id!r}."
            )
        lines[one.id] = one.line
