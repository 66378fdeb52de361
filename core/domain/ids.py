"""Ids: UUIDv7 where the server makes them, the client's own string where it names them."""

import re

import uuid_utils

from core.domain.errors import Invalid

_OWN = re.compile(r"[A-Za-z0-9._~-]{1,128}")


def new_id() -> str:
    """A UUIDv7 (RFC 9562): ids made later sort later."""
    return str(uuid_utils.uuid7())


def check_id(value: str, pointer: str) -> str:
    """The value itself, if it can stand in a URL unescaped.

    Raises:
        Invalid: longer than 128 characters, empty, or with a character outside RFC 3986's
            unreserved set, or `.` or `..`, which a URL would swallow.
    """
    if not _OWN.fullmatch(value) or value in {".", ".."}:
        raise Invalid.at(pointer, "An id is 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -")
    return value
