"""Options shared by several commands."""

import json
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

import typer


def json_object(text: str) -> dict[str, Any]:
    """Parse a JSON object.

    Raises:
        typer.BadParameter: the text is not a JSON object.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"This must be JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter("This must be a JSON object.")
    return value


class Mode(StrEnum):
    VECTOR = "vector"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


ModeOption: TypeAlias = Annotated[
    Mode | None,
    typer.Option(
        help="Search by meaning (vector), by words (lexical) or by both (hybrid). Default: hybrid "
        "if the library has a model, else lexical."
    ),
]
LibraryOption: TypeAlias = Annotated[
    str, typer.Option("--library", "-l", help="The library's name or id.")
]
FilterOption: TypeAlias = Annotated[
    dict[str, Any] | None,
    typer.Option(
        "--filter",
        metavar="JSON",
        parser=json_object,
        help='A filter such as {"field": "year", "op": "gte", "value": 2000}.',
    ),
]
JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
