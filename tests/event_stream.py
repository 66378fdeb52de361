"""Server-sent events as the API writes them."""

import json


def event_stream(*events: tuple[int, str, object]) -> str:
    """Return the text of events, each with its id, its name and its data."""
    return "".join(f"id: {i}\nevent: {e}\ndata: {json.dumps(d)}\n\n" for i, e, d in events)
