import shlex

from pydantic import SecretStr

from cli.demo.next_steps import commands
from core.settings import Settings
from nalanda import QueryHandle

HANDLE = QueryHandle(workflow_id="w-1", run_id="r", status_url="/query/w-1", events_url="/e")


def said(**settings: object) -> dict[str, str]:
    return dict(commands(Settings.model_construct(**settings), HANDLE))  # type: ignore[arg-type]


def test_the_lines_name_the_ports_that_were_taken() -> None:
    lines = said(api_url="http://127.0.0.1:8001", temporal_address="127.0.0.1:7234")
    assert "http://127.0.0.1:8001/libraries/python/search" in lines["Search"]
    assert lines["Ask in the terminal"].startswith("NALANDA_API_URL=http://127.0.0.1:8001 ")
    assert lines["One question's history"].endswith(
        "show --workflow-id w-1 --address 127.0.0.1:7234"
    )


def test_the_usual_port_needs_no_mention() -> None:
    assert "NALANDA_API_URL" not in said()["Ask in the terminal"]


def test_a_shell_takes_each_line_apart_as_meant() -> None:
    for line in said().values():
        assert shlex.split(line)[0].endswith(("curl", "nalanda", "temporal"))


def test_the_key_is_used_and_not_shown() -> None:
    line = said(api_keys=(SecretStr("secret"),))["Search"]
    assert "${NALANDA_API_KEYS%%,*}" in line
    assert "secret" not in line


def test_another_namespace_is_named() -> None:
    assert "--namespace mine" in said(temporal_namespace="mine")["Questions in Temporal"]
