"""Parsing of server-sent events (HTML standard §9.2) into a question's events."""

import json

from nalanda._models.questions import QueryEvent
from nalanda._requests import Request

LAST_EVENTS = frozenset({"result", "error"})


class EventBlock:
    """The lines of an event, which an empty line ends."""

    def __init__(self) -> None:
        self._fields: dict[str, list[str]] = {}

    def take(self, line: str) -> QueryEvent | None:
        """Return the event that the line ends, or `None`; comments and blocks without an id are
        none.
        """
        if line:
            name, _, value = line.partition(":")
            self._fields.setdefault(name, []).append(value.removeprefix(" "))
            return None
        fields, self._fields = self._fields, {}
        number = fields.get("id", [""])[-1]
        if not number.isdecimal() or "data" not in fields:
            return None
        data = json.loads("\n".join(fields["data"]))
        return QueryEvent(id=int(number), event=fields.get("event", ["message"])[-1], data=data)


def events_after(path: str, last_event_id: int | None) -> Request:
    """Return the request for the events after an id, or for all if it is `None`."""
    headers = {"Accept": "text/event-stream"}
    if last_event_id is not None:
        headers["Last-Event-ID"] = str(last_event_id)
    return Request("GET", path, headers=headers)
