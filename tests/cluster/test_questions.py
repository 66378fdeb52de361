"""A short run of the questions that are asked while the leader fails."""

from pathlib import Path

from tests.cluster.questions import ask, open_cluster
from tests.postgres import PostgresServer

QUESTIONS = 6


def test_each_answer_is_right_though_the_leader_fails(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    with postgres.database() as url, open_cluster(tmp_path, url) as nodes:
        outcomes = ask(nodes, QUESTIONS, failures=1)
    assert outcomes.problems == []
    assert len(outcomes.waits_s) == QUESTIONS
