"""Entity tags and conditional requests (RFC 9110, section 13).

An entity's tag is its version in quotes. A weak tag never matches in `If-Match`, which uses strong
comparison. In the `If-None-Match` of a read, a weak tag matches like a strong one.
"""

import re
from typing import Annotated

from fastapi import Depends, Header, status
from starlette.exceptions import HTTPException

from core.domain.guards import Guard

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}\s*(?:,\s*{_TAG}\s*)*")
_VERSION = re.compile(r'"([0-9]{1,18})"')


def etag(version: int) -> str:
    return f'"{version}"'


IfMatch = Annotated[
    str | None,
    Header(
        description="Write only if one of these tags is current; `*`: only if the entity exists."
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(description="Read: 304 if one of these tags is current. Write: `*`, only if absent."),
]


def guard(if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Guard:
    """Return the preconditions of a write.

    Raises:
        HTTPException: 400, a header is malformed, or `If-None-Match` is not `*`.
    """
    if if_none_match is not None and if_none_match.strip() != "*":
        raise HTTPException(status.HTTP_400_BAD_REQUEST, "If-None-Match on a write must be *.")
    absent = if_none_match is not None
    if if_match is None:
        return Guard(absent=absent)
    if if_match.strip() == "*":
        return Guard(exists=True, absent=absent)
    versions = frozenset(int(v) for tag in _tags("If-Match", if_match) for v in _version(tag))
    return Guard(versions=versions, absent=absent)


async def _guard(if_match: IfMatch = None, if_none_match: IfNoneMatch = None) -> Guard:
    return guard(if_match, if_none_match)


Guarded = Annotated[Guard, Depends(_guard)]


def is_unchanged(if_none_match: str | None, version: int) -> bool:
    """Return whether the client already has this version.

    Raises:
        HTTPException: 400, `If-None-Match` is malformed.
    """
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = _tags("If-None-Match", if_none_match)
    return etag(version) in {tag.removeprefix("W/") for tag in tags}


def _tags(header: str, value: str) -> list[str]:
    if not _TAGS.fullmatch(value):
        raise HTTPException(
            status.HTTP_400_BAD_REQUEST, f"{header} must be a list of quoted entity tags, or *."
        )
    return re.findall(_TAG, value)


def _version(tag: str) -> list[str]:
    match = _VERSION.fullmatch(tag)
    return [match[1]] if match else []
