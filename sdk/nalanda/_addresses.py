"""The addresses of a database's nodes."""

from collections.abc import Iterable

import httpx

from nalanda._errors import HTTPX_ERRORS, InvalidAddress

_LEADER = "Nalanda-Leader"
"""The header of a response that a follower got from the leader: the address of that."""

_NO_SCHEME = "it has to begin with http:// or https://, and a host."


def addresses_of(base_url: str | Iterable[str]) -> list[str]:
    """Return each address once: those of a text with commas in between, or of a sequence.

    Raises:
        InvalidAddress: some are none that a server can be reached at; the text names all of them.
    """
    given = base_url.split(",") if isinstance(base_url, str) else base_url
    wanted = [part for part in (str(each).strip() for each in given) if part]
    problems = {address: problem for address in wanted if (problem := _problem(address))}
    if not wanted:
        raise InvalidAddress(f"{base_url!r} names no server.")
    if problems:
        lines = [f"{each} is not the address of a server: {why}" for each, why in problems.items()]
        raise InvalidAddress(" ".join(lines))
    return list(dict.fromkeys(_normalise(address) for address in wanted))


def redirect_of(response: httpx.Response, address: str) -> str | None:
    """Return the leader's address to which a follower at an address redirects, if it does.

    A redirect to another path is none of a follower, and one that leaves TLS is not followed: the
    API key would be sent in the clear.
    """
    location = response.headers.get("Location", "")
    target = str(response.request.url).removeprefix(address)
    if response.status_code != httpx.codes.TEMPORARY_REDIRECT or not location.endswith(target):
        return None
    leader = location.removesuffix(target)
    if _problem(leader) or (address.startswith("https:") and not leader.startswith("https:")):
        return None
    return _normalise(leader)


def leader_in(response: httpx.Response) -> str | None:
    """Return the address of the leader that has answered through a follower."""
    address = response.headers.get(_LEADER)
    return None if address is None or _problem(address) else _normalise(address)


def _problem(address: str) -> str | None:
    try:
        url = httpx.URL(address)
    except HTTPX_ERRORS as error:
        return str(error)
    return None if url.scheme in {"http", "https"} and url.host else _NO_SCHEME


def _normalise(address: str) -> str:
    return str(httpx.URL(address)).rstrip("/")
