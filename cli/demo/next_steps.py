"""Suggestions for next steps, as commands that work as printed."""

import json
import shlex
import shutil
import sys
from pathlib import Path

from cli import temporal_server
from cli.demo.ingest import LIBRARY
from cli.processes.session import display_path
from core.contracts.names import PROGRESS_QUERY
from core.settings import Settings
from nalanda import QueryHandle

DEFAULT_API_URL = "http://127.0.0.1:8000"
SEARCH = {"text": "write rows to a CSV file", "k": 3, "include": ["text", "metadata"]}
QUESTION = "How can I find files that match a pattern, in subdirectories too?"


def commands(settings: Settings, handle: QueryHandle) -> list[tuple[str, str]]:
    """Return a headline and a shell command per step; Temporal's name the question of `handle`."""
    question = {"library": LIBRARY, "query": QUESTION}
    workflow = f"--workflow-id {handle.workflow_id}"
    return [
        ("Search", _post(settings, f"/libraries/{LIBRARY}/search", SEARCH)),
        ("Ask over REST", _post(settings, "/query?wait_s=10", question)),
        ("Ask in the terminal", _ask(settings)),
        ("Questions in Temporal", _temporal(settings, "list")),
        ("One question's history", _temporal(settings, f"show {workflow}")),
        ("Its stages", _temporal(settings, f"query {workflow} --type {PROGRESS_QUERY}")),
    ]


def _post(settings: Settings, path: str, body: object) -> str:
    # The key stays hidden: the shell reads the first one from its variable.
    key = '-H "Authorization: Bearer ${NALANDA_API_KEYS%%,*}" ' if settings.api_keys else ""
    url = shlex.quote(settings.api_url + path)
    data = shlex.quote(json.dumps(body))
    return f"curl -s {url} {key}-H 'Content-Type: application/json' -d {data}"


def _ask(settings: Settings) -> str:
    where = "" if settings.api_url == DEFAULT_API_URL else f"NALANDA_API_URL={settings.api_url} "
    command = _as_typed("nalanda", Path(sys.executable).with_name("nalanda"))
    return f"{where}{command} ask {shlex.quote(QUESTION)} --library {LIBRARY}"


def _temporal(settings: Settings, arguments: str) -> str:
    try:
        command = _as_typed("temporal", temporal_server.find_binary())
    except temporal_server.TemporalNotFound:  # the server is on another machine
        command = "temporal"
    place = f"--address {settings.temporal_address}"
    if settings.temporal_namespace != "default":
        place += f" --namespace {settings.temporal_namespace}"
    return f"{command} workflow {arguments} {place}"


def _as_typed(name: str, path: Path) -> str:
    """Return `name` if the shell finds the command, else the path."""
    return name if shutil.which(name) else shlex.quote(display_path(path))
