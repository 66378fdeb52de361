"""Parsing of server-sent events, as clients do."""

import json
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Event:
    id: str
    name: str
    content: Any


def read_events(client: httpx.Client, workflow_id: str, *, after: str | None = None) -> list[Event]:
    """Return all events, up to the last one."""
    headers = {"Last-Event-ID": after} if after is not None else {}
    with client.stream("GET", f"/query/{workflow_id}/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        text = "".join(answer.iter_text())
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    return [_event(block) for block in blocks]


def _event(block: str) -> Event:
    fields = dict(line.split(": ", 1) for line in block.split("\n"))
    return Event(fields["id"], fields["event"], json.loads(fields["data"]))
