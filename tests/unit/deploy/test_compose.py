"""Consistency of the compose file with the project."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from cli.temporal_server import DYNAMIC_CONFIG
from core.domain.hosts import Hosts, parse
from core.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = compose["services"]
    return services


def test_every_temporal_server_gets_the_values_that_a_local_one_gets() -> None:
    entries = yaml.safe_load((ROOT / "deploy/temporal/dynamicconfig.yaml").read_text())
    values = {name: str(rules[0]["value"]) for name, rules in entries.items()}
    assert values == DYNAMIC_CONFIG


@pytest.mark.parametrize("server", ["temporal", "temporal-server"])
def test_both_kinds_of_server_read_the_dynamic_config(
    services: dict[str, Any], server: str
) -> None:
    path = services[server]["environment"]["DYNAMIC_CONFIG_FILE_PATH"]
    mounts = [volume.split(":") for volume in services[server]["volumes"]]
    assert [source for source, target, *_ in mounts if target == path] == [
        "./deploy/temporal/dynamicconfig.yaml"
    ]


def test_images_are_pinned(services: dict[str, Any]) -> None:
    pulled = {name: s["image"] for name, s in services.items() if "build" not in s}
    assert pulled
    for name, image in pulled.items():
        _, _, tag = image.partition(":")
        assert tag[:1].isdigit(), f"{name}: {image}"


@pytest.mark.parametrize("service", ["api", "node", "worker"])
def test_each_variable_is_one_that_the_settings_read(
    services: dict[str, Any], service: str
) -> None:
    known = {f"NALANDA_{name}".upper() for name in Settings.model_fields} | {"CO_API_KEY"}
    assert set(services[service]["environment"]) <= known


def test_the_api_answers_to_the_host_by_which_the_worker_calls_it(
    services: dict[str, Any],
) -> None:
    _, _, default = services["api"]["environment"]["NALANDA_ALLOWED_HOSTS"].partition(":-")
    host = parse(urlsplit(services["worker"]["environment"]["NALANDA_API_URL"]).netloc)
    assert host is not None
    assert Hosts(default.rstrip("}").split(",")).serve(host)


def test_nodes_answer_to_the_hosts_that_the_api_answers_to(services: dict[str, Any]) -> None:
    """A request keeps its Host when a node passes it on."""
    api, node = (services[name]["environment"] for name in ("api", "node"))
    assert node["NALANDA_ALLOWED_HOSTS"] == api["NALANDA_ALLOWED_HOSTS"]


def test_nodes_use_the_database_that_postgresql_creates(services: dict[str, Any]) -> None:
    url = urlsplit(services["node"]["environment"]["NALANDA_DATABASE_URL"].partition(":-")[2])
    login = services["postgresql"]["environment"]
    assert (url.username, url.password) == (login["POSTGRES_USER"], login["POSTGRES_PASSWORD"])
    assert url.hostname == "postgresql"
    created = (ROOT / "deploy/postgresql/nalanda.sql").read_text()
    assert f"CREATE DATABASE {url.path.strip('/').rstrip('}')} " in created


def test_the_api_serves_other_containers_without_keys(services: dict[str, Any]) -> None:
    command = services["api"]["command"]
    assert command[:3] == ["serve", "--host", "0.0.0.0"]
    assert "--insecure" in command
    assert all(port.startswith("127.0.0.1:") for port in services["api"]["ports"])


def test_mounted_files_are_there(services: dict[str, Any]) -> None:
    sources = [v.split(":")[0] for s in services.values() for v in s.get("volumes", [])]
    files = [source for source in sources if source.startswith("./")]
    assert files
    for file in files:
        assert (ROOT / file).is_file(), file
