"""Histories of earlier questions, ingestions and model changes replay without a difference.

`histories/` has recordings from a real server; `record.py` describes how to make them.
"""

import asyncio
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.integration.workflows.record import HISTORIES
from workflows.conversation import ConversationWorkflow
from workflows.ingest import IngestWorkflow
from workflows.query import QueryWorkflow
from workflows.reembed import ReembedWorkflow

FILES = sorted(HISTORIES.glob("*.json"))


async def replay(history: str) -> None:
    replayer = Replayer(
        workflows=[QueryWorkflow, ConversationWorkflow, IngestWorkflow, ReembedWorkflow],
        data_converter=pydantic_data_converter,
    )
    await replayer.replay_workflow(WorkflowHistory.from_json("recorded", history))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_replays(file: Path) -> None:
    asyncio.run(replay(file.read_text()))


async def test_every_kind_of_end_was_recorded() -> None:
    kinds = {"answered", "cancelled", "deadline", "degraded", "failed", "too_late", "unanswered"}
    kinds |= {"ingested", "ingestion_cancelled", "ingestion_failed", "ingestion_paused"}
    kinds |= {"reembedded", "reembedding_cancelled", "reembedding_failed", "reembedding_reverted"}
    kinds |= {"ingestion_removed", "reviewed", "review_rejected", "review_defaulted"}
    kinds |= {"conversation", "conversation_cancelled"}
    assert {file.stem for file in FILES} >= kinds


async def test_another_order_of_stages_would_be_noticed() -> None:
    history = (HISTORIES / "answered.json").read_text()
    swapped = history.replace('"name": "rerank"', '"name": "answer"')
    assert swapped != history
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        await replay(swapped)
