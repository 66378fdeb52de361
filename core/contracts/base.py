"""The base of all messages."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """The base of all messages: immutable, and unknown fields are ignored.

    So an old worker reads a newer one's history.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


def is_absent(value: object) -> bool:
    """Return whether an optional field is left out of its message."""
    return value is None
