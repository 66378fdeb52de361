"""The chart as its tests see it: its values, resources and pods."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.helm import CHART, Resource, render

VALUES = Path(__file__).with_name("values")
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SETS = ("default", *sorted(file.stem for file in VALUES.glob("*.yaml")))


@cache
def values_of(name: str) -> dict[str, Any]:
    """Return a set of values: `default` has none of its own."""
    if name == "default":
        return {}
    read: dict[str, Any] = yaml.safe_load((VALUES / f"{name}.yaml").read_text())
    return read


@cache
def resources_of(name: str) -> list[Resource]:
    """Return the resources of a set of values; the list must not be changed."""
    return render(values_of(name))


def select(resources: list[Resource], kind: str, name: str | None = None) -> Resource:
    """Return the only resource of a kind and, if given, of a name."""
    [resource] = [
        each
        for each in resources
        if each["kind"] == kind and name in (None, each["metadata"]["name"])
    ]
    return resource


def kinds(resources: list[Resource]) -> set[str]:
    return {resource["kind"] for resource in resources}


def pods_of(resources: list[Resource]) -> dict[str, dict[str, Any]]:
    """Return the pod templates by the name of their StatefulSet or Deployment."""
    return {
        resource["metadata"]["name"]: resource["spec"]["template"]
        for resource in resources
        if resource["kind"] in {"StatefulSet", "Deployment"}
    }


def environment_of(pod: dict[str, Any]) -> dict[str, str | None]:
    """Return the variables of a pod's container; `None` for those of a Secret or a field."""
    [container] = pod["spec"]["containers"]
    return {variable["name"]: variable.get("value") for variable in container["env"]}


def leaves(tree: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each scalar, empty list and empty mapping of a tree of values with its dotted path."""
    match tree:
        case dict() if tree:
            for key, value in tree.items():
                yield from leaves(value, f"{path}.{key}" if path else key)
        case list() if tree:
            for index, value in enumerate(tree):
                yield from leaves(value, f"{path}[{index}]")
        case _:
            yield path, tree
