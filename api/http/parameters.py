"""Types of query parameters and headers, whose texts are checked as strictly as JSON."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from core.domain.values import instant

_WHOLE = re.compile("[0-9]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,19}(\.[0-9]{1,19})?([eE][+-]?[0-9]{1,3})?", re.ASCII)


def _form_check(pattern: re.Pattern[str], detail: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        """Return the value if its text has the form.

        Raises:
            PydanticCustomError: the text has another form.
        """
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise PydanticCustomError("form", detail)
        return value

    return check


def _instant(value: Any) -> Any:
    """Check that the text is a date-time with an offset.

    Raises:
        PydanticCustomError: the text is not a date-time with an offset.
    """
    time = instant(value) if isinstance(value, str) else value
    if time is None:
        raise PydanticCustomError(
            "instant",
            "A time must be an RFC 3339 date-time with an offset, such as 2026-01-31T12:00:00Z; "
            "write + as %2B in a URL.",
        )
    return time


# Listed after a parameter's bounds, which pydantic otherwise omits from the schema.
WHOLE = BeforeValidator(_form_check(_WHOLE, "This must be an integer, in digits only."))
DECIMAL = BeforeValidator(_form_check(_NUMBER, "This must be a number such as 10 or 0.5."))
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
