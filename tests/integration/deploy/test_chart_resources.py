"""The resources of the chart against the schemas of Kubernetes and of the operators."""

import json
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest

from tests.helm import CHART, KUBERNETES, RenderingFailed, Resource, render, run
from tests.integration.deploy.charts import SETS, kinds, resources_of, values_of

SCHEMAS = Path(__file__).with_name("schemas")
OF_OPERATORS = {file.stem: json.loads(file.read_text()) for file in SCHEMAS.glob("*.json")}
"""Schemas of custom resources, written here for the fields that the chart uses, by kind."""


def validate(resource: Resource) -> None:
    """Validate a resource, in which a field that the schema lacks is an error."""
    if resource["kind"] in OF_OPERATORS:
        jsonschema.validate(resource, OF_OPERATORS[resource["kind"]])
    else:
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", SETS)
def test_each_resource_fits_the_schema_of_its_kind(name: str) -> None:
    resources = resources_of(name)
    assert resources
    for resource in resources:
        validate(resource)


@pytest.mark.parametrize("name", SETS)
def test_lint_has_no_complaint(name: str) -> None:
    assert "0 chart(s) failed" in run("lint", str(CHART), "--strict", values=values_of(name))


def test_a_wrong_field_fails_validation() -> None:
    [deployment] = [r for r in resources_of("default") if r["kind"] == "Deployment"]
    wrong = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(wrong)


def test_no_two_resources_have_one_name() -> None:
    names = [(r["kind"], r["metadata"]["name"]) for r in resources_of("full")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", SETS)
def test_all_are_in_the_namespace_of_the_release_and_none_is_a_secret(name: str) -> None:
    resources = resources_of(name)
    assert {r["metadata"]["namespace"] for r in resources} == {"search"}
    assert "Secret" not in kinds(resources)


SWITCHES = {
    "Cluster": ("database", "cluster", "enabled"),
    "ScaledObject": ("workers", "autoscaling", "enabled"),
    "NetworkPolicy": ("networkPolicy", "enabled"),
    "PodMonitor": ("monitoring", "podMonitor"),
    "PrometheusRule": ("monitoring", "alerts"),
    "ConfigMap": ("monitoring", "dashboard"),
}


@pytest.mark.parametrize("kind", SWITCHES)
@pytest.mark.parametrize("on", [True, False])
def test_a_switch_adds_its_resources_and_changes_no_other_kinds(kind: str, on: bool) -> None:
    values: object = on
    for key in reversed(SWITCHES[kind]):
        values = {key: values}
    assert isinstance(values, dict)
    if kind == "Cluster":
        values["database"]["secret"] = "database"
    expected = kinds(resources_of("default")) - {kind} | ({kind} if on else set())
    assert kinds(render(values)) == expected


def test_without_a_database_the_message_names_both_values() -> None:
    with pytest.raises(RenderingFailed, match=r"database\.secret .*database\.cluster\.enabled"):
        render({"database": {"cluster": {"enabled": False}}})


def test_without_keys_the_message_names_both_values() -> None:
    with pytest.raises(RenderingFailed, match=r"apiKeys\.secret .*apiKeys\.insecure"):
        render({"apiKeys": {"secret": ""}})
