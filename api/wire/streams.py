"""The schema of a stream of server-sent events, from the models of its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class EventStream:
    """A kind of stream; `models` has the model of each event's data, by the event's name."""

    name: str
    models: Mapping[str, type[BaseModel]] = field(hash=False)

    def schema(self, ref_template: str) -> dict[str, Any]:
        """Return the schema of one event, by the fields of its lines."""
        kinds = [
            _event_schema(name, ref_template.format(model=model.__name__))
            for name, model in self.models.items()
        ]
        return {"title": self.name, "oneOf": kinds}

    def content(self, ref_template: str) -> dict[str, Any]:
        """Return the media type object of a stream, as OpenAPI 3.2 defines it.

        `itemSchema` describes each event, and `schema` the whole stream.
        """
        event = {"$ref": ref_template.format(model=self.name)}
        return {"schema": {"type": "array", "items": event}, "itemSchema": event}


def _event_schema(name: str, ref: str) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {
            "id": {"type": "string", "pattern": "^[0-9]{1,7}$"},
            "event": {"const": name},
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"$ref": ref},
            },
        },
    }
