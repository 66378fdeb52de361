"""Options that several commands have."""

import json
from enum import StrEnum
from typing import Annotated, Any, TypeAlias

import typer


def json_object(text: str) -> dict[str, Any]:
    """Raises: typer.BadParameter: it is none."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"This is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise typer.BadParameter("This is no JSON object.")
    return value


class Mode(StrEnum):
    VECTOR = "vector"
    LEXICAL = "lexical"
    HYBRID = "hybrid"


ModeOption: TypeAlias = Annotated[
    Mode | None,
    typer.Option(
        help="By its meaning, by its words, or by both (hybrid, the default where the library "
        "has a model; else lexical)."
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
        help='Such as {"field": "year", "op": "gte", "value": 2000}.',
    ),
]
JsonFlag: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON.")]
