"""Terminal output: the demo, and a question through Temporal's own command."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.temporal_server import find_binary
from tests.e2e.stack import NALANDA, Stack
from tests.permissions import open_to_others

TIMEOUT_S = 180


def test_the_demo_answers_five_questions_and_checks_each_quote(tmp_path: Path) -> None:
    outside = {k: v for k, v in os.environ.items() if not k.startswith(("NALANDA_", "CO_API"))}
    command = [NALANDA, "demo", "--once", "--data", str(tmp_path)]
    ended = subprocess.run(
        command,
        env=outside,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        umask=0,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert open_to_others(tmp_path) == []  # the directory also has the log and Temporal's database
    assert ended.stdout.count("each quote was found in the chunk that it cites") == 5
    for stage in ("preprocess", "retrieve", "rerank", "answer"):
        assert len(re.findall(rf"✓ {stage} \d+ ms", ended.stdout)) == 5
    assert "subprocess.run" in ended.stdout
    assert "\x1b" not in ended.stdout  # no control codes where there is no terminal


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("terminal")) as stack:
        stack.start_all()
        yield stack


@pytest.fixture(scope="module")
def workflow_id(stack: Stack) -> str:
    with stack.client() as client:
        client.libraries.create(name="colours")
        client.documents.create("colours", text="The sky is blue. Grass is green.")
        asked = client.queries.start("colours", "What colour is the sky?")
        assert client.queries.wait(asked.workflow_id, timeout_s=60).status == "completed"
    return asked.workflow_id


def temporal(stack: Stack, *arguments: str) -> str:
    line = [str(find_binary()), "workflow", *arguments, "--address", stack.temporal_address]
    return subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.mark.parametrize(
    "condition", ["NalandaStatus = 'completed'", "NalandaStage = 'answer'", "NalandaLibrary = '{}'"]
)
def test_temporal_lists_it_by_its_search_attributes(
    stack: Stack, workflow_id: str, condition: str
) -> None:
    with stack.client() as client:
        query = condition.format(client.libraries.get("colours").id)
    deadline = time.monotonic() + 30  # the visibility store lags behind
    while workflow_id not in (listed := temporal(stack, "list", "--query", query)):
        assert time.monotonic() < deadline, listed
        time.sleep(0.1)
    assert "QueryWorkflow" in listed


def test_temporal_shows_the_four_activities_in_order(stack: Stack, workflow_id: str) -> None:
    history = json.loads(temporal(stack, "show", "-w", workflow_id, "--output", "json"))
    scheduled = [
        event["activityTaskScheduledEventAttributes"]["activityType"]["name"]
        for event in history["events"]
        if "activityTaskScheduledEventAttributes" in event
    ]
    assert scheduled == ["preprocess", "retrieve", "rerank", "answer"]


def test_temporal_tells_the_progress_of_a_closed_question(stack: Stack, workflow_id: str) -> None:
    answer = temporal(stack, "query", "-w", workflow_id, "--type", "progress", "--output", "json")
    (progress,) = json.loads(answer)["queryResult"]
    assert (progress["status"], progress["stage"]) == ("completed", "answer")
    assert [stage["status"] for stage in progress["stages"]] == ["completed"] * 4
