"""The chart's pods against what Nalanda reads, serves and writes."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from api.main import create_app
from core.contracts.names import ingest_queue_of, task_queue_of
from core.domain.hosts import Hosts, parse
from core.settings import Settings, variables_of
from tests.integration.deploy.charts import (
    SETS,
    environment_of,
    pods_of,
    resources_of,
    select,
    values_of,
)

NODES, WORKERS = "db-nodes", "db-workers"


def hosts_of(name: str) -> Hosts:
    allowed = environment_of(pods_of(resources_of(name))[NODES])["NALANDA_ALLOWED_HOSTS"]
    assert allowed is not None
    return Hosts(allowed.split(","))


def serves(hosts: Hosts, url: str) -> bool:
    host = parse(urlsplit(url).netloc)
    return host is not None and hosts.serve(host)


@pytest.mark.parametrize("name", SETS)
def test_each_variable_is_one_that_the_settings_read(name: str) -> None:
    known = {variable for field in Settings.model_fields for variable in variables_of(field)}
    for pod in pods_of(resources_of(name)).values():
        assert environment_of(pod).keys() - known <= {"POD_NAME"}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("component", [NODES, WORKERS])
def test_no_variable_is_set_twice(name: str, component: str) -> None:
    [container] = pods_of(resources_of(name))[component]["spec"]["containers"]
    names = [variable["name"] for variable in container["env"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("component", [NODES, WORKERS])
def test_the_settings_accept_the_values(
    name: str, component: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in environment_of(pods_of(resources_of(name))[component]).items():
        if value is not None:
            monkeypatch.setenv(variable, value.replace("$(POD_NAME)", "db-nodes-0"))
    settings = Settings()
    assert settings.temporal_address == dict(values_of(name).get("temporal", {})).get(
        "address", "temporal-frontend.temporal.svc.cluster.local:7233"
    )


@pytest.mark.parametrize("name", SETS)
def test_probes_call_routes_of_the_api(name: str, tmp_path: Path) -> None:
    paths = create_app(Settings(data_dir=tmp_path)).openapi()["paths"]
    [container] = pods_of(resources_of(name))[NODES]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["path"] in paths
        assert container[probe]["httpGet"]["port"] in {p["name"] for p in container["ports"]}
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("component", [NODES, WORKERS])
def test_pods_have_no_rights_that_they_do_not_need(name: str, component: str) -> None:
    spec = pods_of(resources_of(name))[component]["spec"]
    [container] = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("component", [NODES, WORKERS])
def test_only_mounted_folders_are_written_to(component: str) -> None:
    spec = pods_of(resources_of("default"))[component]["spec"]
    [container] = spec["containers"]
    folders = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert folders == {"/data", "/tmp"}  # /data is the image's home, with the kernels' cache
    data_dir = environment_of(pods_of(resources_of("default"))[component]).get("NALANDA_DATA_DIR")
    assert data_dir is None or Path(data_dir).parent == Path("/data")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("component", [NODES, WORKERS])
def test_requests_and_limits_are_set(name: str, component: str) -> None:
    [container] = pods_of(resources_of(name))[component]["spec"]["containers"]
    assert container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("component", [NODES, WORKERS])
def test_a_pod_is_given_the_time_to_drain(name: str, component: str) -> None:
    pod = pods_of(resources_of(name))[component]
    [container] = pod["spec"]["containers"]
    delay = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    drain_s = float(environment_of(pod)["NALANDA_DRAIN_S"] or 0)
    assert pod["spec"]["terminationGracePeriodSeconds"] > delay + drain_s


@pytest.mark.parametrize("name", SETS)
def test_nodes_answer_to_the_names_of_the_services_and_of_each_other(name: str) -> None:
    pods = pods_of(resources_of(name))
    hosts = hosts_of(name)
    advertised = environment_of(pods[NODES])["NALANDA_ADVERTISE_URL"]
    assert advertised is not None
    assert serves(hosts, advertised.replace("$(POD_NAME)", "db-nodes-2"))
    assert serves(hosts, environment_of(pods[WORKERS])["NALANDA_API_URL"] or "")
    assert serves(hosts, "http://db:8000")
    assert not serves(hosts, "http://pages.example:8000")
    for host in values_of(name).get("allowedHosts", []):
        assert serves(hosts, f"http://{host}")


@pytest.mark.parametrize("name", SETS)
def test_a_node_is_advertised_by_its_name_in_the_headless_service(name: str) -> None:
    resources = resources_of(name)
    nodes = select(resources, "StatefulSet")
    peers = select(resources, "Service", nodes["spec"]["serviceName"])
    assert peers["spec"]["clusterIP"] == "None"
    assert peers["spec"]["publishNotReadyAddresses"] is True
    advertised = environment_of(nodes["spec"]["template"])["NALANDA_ADVERTISE_URL"]
    assert advertised == f"http://$(POD_NAME).{peers['metadata']['name']}.search.svc:8000"


@pytest.mark.parametrize("name", SETS)
def test_services_budgets_and_spreads_select_the_pods_that_they_are_for(name: str) -> None:
    resources = resources_of(name)
    labels = {owner: pod["metadata"]["labels"] for owner, pod in pods_of(resources).items()}

    def selected(selector: dict[str, str]) -> set[str]:
        return {owner for owner, of in labels.items() if selector.items() <= of.items()}

    for resource in resources:
        spec: dict[str, Any] = resource.get("spec", {})
        match resource["kind"]:
            case "Service":
                assert selected(spec["selector"]) == {NODES}
            case "PodDisruptionBudget":
                assert selected(spec["selector"]["matchLabels"]) == {resource["metadata"]["name"]}
            case "StatefulSet" | "Deployment":
                [spread] = spec["template"]["spec"]["topologySpreadConstraints"]
                own = {resource["metadata"]["name"]}
                assert selected(spread["labelSelector"]["matchLabels"]) == own
                assert selected(spec["selector"]["matchLabels"]) == own
            case "PodMonitor":
                assert selected(spec["selector"]["matchLabels"]) == {NODES}


@pytest.mark.parametrize("name", ["full", "elsewhere"])
def test_workers_are_scaled_by_both_of_their_queues(name: str) -> None:
    resources = resources_of(name)
    scaled = select(resources, "ScaledObject")["spec"]
    assert scaled["scaleTargetRef"]["name"] == select(resources, "Deployment")["metadata"]["name"]
    environment = environment_of(pods_of(resources)[WORKERS])
    queue = environment["NALANDA_TASK_QUEUE"]
    polled = [task_queue_of("an-instance", queue), ingest_queue_of("an-instance", queue)]
    triggers = [trigger["metadata"] for trigger in scaled["triggers"]]
    assert [trigger["taskQueue"] for trigger in triggers] == polled
    for trigger in triggers:
        assert trigger["endpoint"] == environment["NALANDA_TEMPORAL_ADDRESS"]
        assert trigger["namespace"] == environment["NALANDA_TEMPORAL_NAMESPACE"]


def test_nodes_serve_without_keys_only_if_asked_to() -> None:
    [node] = pods_of(resources_of("default"))[NODES]["spec"]["containers"]
    [insecure] = pods_of(resources_of("small"))[NODES]["spec"]["containers"]
    assert "--insecure" not in node["args"]
    assert "--insecure" in insecure["args"]
    assert "NALANDA_API_KEYS" in environment_of(pods_of(resources_of("default"))[WORKERS])


def test_the_database_confirms_commits_by_a_standby() -> None:
    cluster = select(resources_of("default"), "Cluster")["spec"]
    assert cluster["instances"] >= 3
    assert cluster["postgresql"]["synchronous"] == {
        "method": "any",
        "number": 1,
        "dataDurability": "required",
        "failoverQuorum": True,
    }
    node = pods_of(resources_of("default"))[NODES]
    assert environment_of(node)["NALANDA_REQUIRE_SYNCHRONOUS"] == "true"
