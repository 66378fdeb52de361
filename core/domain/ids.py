"""Ids: UUIDv7 where the server makes them, any valid string where the client does."""

import re

import uuid_utils

from core.domain.errors import Invalid

_OWN = re.compile(r"[A-Za-z0-9._~-]{1,128}")


def new_id() -> str:
    """Return a UUIDv7 (RFC 9562): ids made later sort later."""
    return str(uuid_utils.uuid7())


def check_id(value: str, pointer: str) -> str:
    """Return the value, if a URL can have it unescaped.

    Raises:
        Invalid: the value is empty, longer than 128 characters, `.` or `..` (which a URL drops),
            or has a character outside RFC 3986's unreserved set.
    """
    if not _OWN.fullmatch(value) or value in {".", ".."}:
        raise Invalid.at(
            pointer, "An id must have 1 to 128 characters, all of them of A-Z a-z 0-9 . _ ~ -"
        )
    return value
