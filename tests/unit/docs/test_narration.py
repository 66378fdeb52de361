"""The film about the design shows functions that there are."""

import tomllib
from functools import reduce
from importlib import import_module
from pathlib import Path

import pytest

NARRATION = tomllib.loads(Path(__file__).parents[3].joinpath("video", "design.toml").read_text())
FUNCTIONS = [
    step["function"]
    for steps in NARRATION.values()
    if isinstance(steps, list)
    for step in steps
    if "function" in step
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_of_the_film_is_in_its_module(function: str) -> None:
    module, _, path = function.partition(":")
    shown: object = reduce(getattr, path.split("."), import_module(module))
    assert callable(shown) or isinstance(shown, property)
