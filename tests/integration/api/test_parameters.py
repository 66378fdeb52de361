"""Query parameters and headers are checked as strictly as JSON bodies."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.integration.api.calls import assert_problem

NO_TIMES = [
    *("1700000000", "1", "0", "-1", "1.5", "1e10", "1700000000000", "", "now", "infinity"),
    *("2026-01-31", "2026-01-31T12:00:00", "2026-01-31T12:00Z", "2026-01-31 12:00:00Z"),
    *("2026-01-31T12:00:00+0100", "2026-01-31T12:00:00 01:00", "2026-02-30T12:00:00Z"),
    *(" 2026-01-31T12:00:00Z", "20260131T120000Z", "2026-W05-6T12:00:00Z"),
]
TIMES = ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.123456789z", "2026-01-31T12:00:00+05:30"]
NO_WHOLES = ["1.0", "1_0", " 1", "+1", "1e1", "0x1", "", "true", "-1", "٣", "1 ", "9" * 5_000]
NO_NUMBERS = ["1_0", " 1", "+1", ".5", "1.", "nan", "inf", "0x1", "", "true", "-1", "0", "61"]


@pytest.mark.parametrize("name", ["since", "until"])
async def test_a_time_is_a_date_time_with_an_offset(api: httpx.AsyncClient, name: str) -> None:
    for text in NO_TIMES:
        answer = await api.get(f"/query?{name}={quote(text)}")
        assert_problem(answer, 422, f"/{name}")
        assert "2026-01-31T12:00:00Z" in answer.json()["detail"]
    for text in TIMES:  # Temporal is unreachable
        assert_problem(await api.get(f"/query?{name}={quote(text)}"), 503)


@pytest.mark.parametrize("path", ["/libraries", "/libraries/l/documents", "/libraries/l/chunks"])
async def test_a_limit_is_digits(api: httpx.AsyncClient, library: str, path: str) -> None:
    for text in [*NO_WHOLES, "0", "1001"]:
        assert_problem(await api.get(f"{path}?limit={quote(text)}"), 422, "/limit")
    assert (await api.get(f"{path}?limit=10")).status_code == 200


async def test_a_position_is_digits(api: httpx.AsyncClient) -> None:
    for text in NO_WHOLES:
        headers: Any = [(b"Nalanda-Min-Position", text.strip().encode("utf-8"))]
        if text.strip() != "1":
            answer = await api.get("/libraries", headers=headers)
            assert_problem(answer, 422, "/Nalanda-Min-Position")
    assert (await api.get("/libraries", headers={"Nalanda-Min-Position": "0"})).status_code == 200


async def test_a_wait_is_a_number(api: httpx.AsyncClient, library: str) -> None:
    question = {"library": library, "query": "What?", "mode": "lexical"}
    for text in NO_NUMBERS:
        answer = await api.post(f"/query?wait_s={quote(text)}", json=question)
        assert_problem(answer, 422, "/wait_s")
    for text in ("1", "0.5", "1e1", "60.0"):
        assert_problem(await api.post(f"/query?wait_s={text}", json=question), 503)
