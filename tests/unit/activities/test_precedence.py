"""Files of ingestions wait for the stages of questions, and no longer than a moment."""

import asyncio
import time

import pytest

from activities import precedence
from activities.precedence import QuestionStages

DEADLINE_S = 30.0


async def test_without_questions_no_file_waits() -> None:
    await asyncio.wait_for(QuestionStages().wait_until_idle(), DEADLINE_S)


async def test_a_file_waits_for_the_end_of_all_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "MAX_WAIT_S", DEADLINE_S)
    stages = QuestionStages()
    with stages.running():
        with stages.running():
            waiting = asyncio.create_task(stages.wait_until_idle())
            await asyncio.sleep(0)
        ended_s = time.monotonic()
        await asyncio.wait([waiting], timeout=2 * precedence.GRACE_S)
        assert not waiting.done()
    await waiting
    assert time.monotonic() >= ended_s + precedence.GRACE_S


async def test_the_next_stage_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "MAX_WAIT_S", DEADLINE_S)
    monkeypatch.setattr(precedence, "GRACE_S", 0.01)
    stages = QuestionStages()
    with stages.running():
        waiting = asyncio.create_task(stages.wait_until_idle())
    with stages.running():
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
    await waiting


async def test_questions_without_an_end_stop_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "MAX_WAIT_S", 0.01)
    stages = QuestionStages()
    with stages.running():
        await asyncio.wait_for(stages.wait_until_idle(), DEADLINE_S)
