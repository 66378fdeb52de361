"""Consistency of a client's reads: `eventual`, `session` or `strong`."""

from collections.abc import Mapping
from threading import Lock
from typing import Literal, TypeAlias, get_args

import httpx

from nalanda._errors import InvalidValue, PositionLost
from nalanda._requests import MIN_POSITION

Consistency: TypeAlias = Literal["eventual", "session", "strong"]

CONSISTENCY = "Nalanda-Consistency"
POSITION = "Nalanda-Position"


def check_consistency(consistency: str) -> None:
    """Check the name of a consistency.

    Raises:
        InvalidValue: there is none of this name.
    """
    names = get_args(Consistency)
    if consistency not in names:
        raise InvalidValue(("consistency",), f"is {consistency!r}, none of {', '.join(names)}.")


def read_headers(
    headers: Mapping[str, str], consistency: Consistency, position: int
) -> dict[str, str]:
    """Return the headers of a read in a session that has seen a position.

    A `min_position` of the call itself holds for each consistency.
    """
    wanted = int(headers.get(MIN_POSITION, 0))
    match consistency:
        case "strong":
            return {**headers, CONSISTENCY: "strong"}
        case "eventual":
            return {**headers, CONSISTENCY: "session" if wanted else "eventual"}
        case "session":
            # The server's default is at least a session, so the header would only weaken it.
            highest = max(wanted, position)
            return {**headers, MIN_POSITION: str(highest)} if highest else dict(headers)


class Session:
    """The highest position in any response; threads may share a client."""

    def __init__(self) -> None:
        self._position = 0
        self._lock = Lock()

    @property
    def position(self) -> int:
        return self._position

    def see(self, response: httpx.Response) -> None:
        position = position_of(response)
        if position is not None:
            with self._lock:
                self._position = max(self._position, position)

    def is_ahead_of(self, response: httpx.Response) -> bool:
        """Return whether a node has refused a read because it lacks what the session has seen."""
        reached = position_of(response)
        is_refused = response.status_code == httpx.codes.SERVICE_UNAVAILABLE
        return is_refused and reached is not None and reached < self._position

    def begin_again(self, recorded: int) -> None:
        """Begin again at the record's position, if that is before the session's.

        Raises:
            PositionLost: it is.
        """
        with self._lock:
            lost, self._position = self._position, min(self._position, recorded)
        if recorded < lost:
            raise PositionLost(lost, recorded)


def position_of(response: httpx.Response) -> int | None:
    position = response.headers.get(POSITION, "")
    return int(position) if position.isdecimal() else None
