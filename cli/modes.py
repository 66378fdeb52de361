"""The default mode of a search or a question."""

from collections.abc import Callable
from typing import Literal, TypeVar

import typer

from cli.options import Mode
from nalanda import ValidationError

T = TypeVar("T")
ModeName = Literal["vector", "lexical", "hybrid"]


def with_mode(mode: Mode | None, call: Callable[[ModeName], T], *, refused_at: str) -> T:
    """Return the call's result in the given mode, else `hybrid`, else `lexical`.

    `refused_at` is the pointer of the server's error if the library has no model for `hybrid`.
    """
    if mode is not None:
        return call(mode.value)
    try:
        return call("hybrid")
    except ValidationError as error:
        if [fault.pointer for fault in error.errors] != [refused_at]:
            raise
    result = call("lexical")
    typer.echo("The library has no model, so only words count (--mode lexical).", err=True)
    return result
