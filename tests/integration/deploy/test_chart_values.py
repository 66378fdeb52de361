"""The chart's values: each has an effect, and a wrong one is refused by its name."""

from functools import cache
from typing import Any

import pytest
import yaml

from tests.helm import RenderingFailed, render
from tests.integration.deploy.charts import DEFAULTS, leaves, resources_of, values_of

FULL = dict(leaves(values_of("full")))
SWITCHES = {
    path for path, value in leaves(DEFAULTS) if isinstance(value, bool)
}  # the other tests turn them
DERIVED = {
    "nodes.startSeconds": "failureThreshold: 181",
    "nodes.spread": "preferredDuringSchedulingIgnoredDuringExecution",
    "nodes.stopDelaySeconds": "seconds: 6",
}
"""The rendered text of each value that is not rendered unchanged."""

REPLACED = {"workers.replicas"}
"""Values that another value of the set replaces: the autoscaler's."""


def test_the_full_set_has_each_value_and_none_by_default() -> None:
    defaults = dict(leaves(DEFAULTS))
    for path, value in defaults.items():
        if "[" in path:  # the items of lists differ
            continue
        given = [each for name, each in FULL.items() if name == path or name.startswith(f"{path}.")]
        given += [each for name, each in FULL.items() if name.startswith(f"{path}[")]
        assert given, f"{path} is missing"
        assert value not in given or isinstance(value, bool), f"{path} is as by default"


@pytest.mark.parametrize("path", sorted(FULL.keys() - SWITCHES - REPLACED))
def test_each_value_is_rendered(path: str) -> None:
    assert str(DERIVED.get(path, FULL[path])) in full_text()


@cache
def full_text() -> str:
    return yaml.safe_dump(resources_of("full"), width=10_000)


def test_the_replicas_of_workers_are_rendered_without_autoscaling() -> None:
    resources = render({"workers": {"replicas": 8}})
    [deployment] = [each for each in resources if each["kind"] == "Deployment"]
    assert deployment["spec"]["replicas"] == 8


def test_the_autoscaler_alone_decides_on_the_workers() -> None:
    [deployment] = [each for each in resources_of("full") if each["kind"] == "Deployment"]
    assert "replicas" not in deployment["spec"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("replica", {"nodes": {"replica": 3}}),
    ("nodes/replicas", {"nodes": {"replicas": 0}}),
    ("nodes/replicas", {"nodes": {"replicas": "three"}}),
    ("nodes/spread", {"nodes": {"spread": "wide"}}),
    ("nodes/storage/size", {"nodes": {"storage": {"size": "20 GB"}}}),
    ("nodes/resources/limits/memory", {"nodes": {"resources": {"limits": {"memory": "2G iB"}}}}),
    ("temporal/address", {"temporal": {"address": "temporal"}}),
    ("temporal/taskQueue", {"temporal": {"taskQueue": ""}}),
    ("database/cluster/instances", {"database": {"cluster": {"instances": 1}}}),
    ("database/secret", {"database": {"secret": "Not_A_Name"}}),
    ("apiKeys/key", {"apiKeys": {"key": "api keys"}}),
    ("allowedHosts/0", {"allowedHosts": ["a,b"]}),
    ("nalanda_provider", {"settings": {"nalanda_provider": "local"}}),
    ("NALANDA_DATABASE_URL", {"settings": {"NALANDA_DATABASE_URL": "postgresql://"}}),
    ("secretSettings/CO_API_KEY", {"secretSettings": {"CO_API_KEY": {"secret": "cohere"}}}),
    ("service/type", {"service": {"type": "ExternalName"}}),
    ("networkPolicy/clients/0", {"networkPolicy": {"clients": [{}]}}),
    ("providerPorts", {"networkPolicy": {"providerPorts": []}}),
    ("monitoring/intervalSeconds", {"monitoring": {"intervalSeconds": 0}}),
    ("maxReplicas", {"workers": {"autoscaling": {"maxReplicas": 0}}}),
    ("readinessProbe", {"readinessProbe": {}}),
]


@pytest.mark.parametrize(("name", "values"), WRONG, ids=[str(values) for _, values in WRONG])
def test_a_wrong_value_is_refused_by_its_name(name: str, values: dict[str, Any]) -> None:
    with pytest.raises(RenderingFailed) as refusal:
        render(values)
    assert name in str(refusal.value).replace(".", "/")
