"""The parameters of a question that options change."""

from collections.abc import Mapping
from typing import Any

import typer

from cli.options import Mode
from nalanda import AdjustOptions


def changes_of(
    k: int | None,
    top_n: int | None,
    mode: Mode | None,
    condition: Mapping[str, Any] | None,
    *,
    no_filter: bool,
) -> AdjustOptions:
    """Return the parameters that are given.

    Raises:
        typer.BadParameter: a filter is both given and removed.
    """
    if condition is not None and no_filter:
        raise typer.BadParameter("Give either --filter or --no-filter.")
    changes = AdjustOptions()
    if k is not None:
        changes["k"] = k
    if top_n is not None:
        changes["top_n"] = top_n
    if mode is not None:
        changes["mode"] = mode.value
    if condition is not None or no_filter:
        changes["filter"] = condition
    return changes
