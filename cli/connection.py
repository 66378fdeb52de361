"""The SDK client of the commands."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.processes.announcement import find_api
from core.settings import Settings
from nalanda import Nalanda

HURRIED = 1
PATIENT = 7
"""Number of retries that outlasts a restart of the server."""
TIMEOUT_S = 30.0
"""Timeout of a call with its retries."""
_TIMEOUT_S_PER_MIB = 10.0
"""Timeout per MiB of a file: ten times the embedding time of a small machine."""


def locate_api(settings: Settings) -> Settings:
    """Return the settings with the URL of the API that serves their data directory.

    A URL in the settings takes precedence.
    """
    if "api_url" in settings.model_fields_set:
        return settings
    url = find_api(settings.data_dir)
    return settings if url is None else settings.model_copy(update={"api_url": url})


def connect(
    settings: Settings | None = None, *, max_retries: int = HURRIED, timeout_s: float = TIMEOUT_S
) -> Nalanda:
    """Return a client of the settings' API, with the first of their keys."""
    settings = locate_api(settings or Settings())
    keys = settings.api_keys
    key = keys[0].get_secret_value() if keys else None
    return Nalanda(settings.api_url, api_key=key, max_retries=max_retries, timeout_s=timeout_s)


@contextmanager
def connect_for(client: Nalanda, size_bytes: int) -> Iterator[Nalanda]:
    """Yield the client, or one with more time if files of this size may need it."""
    timeout_s = _TIMEOUT_S_PER_MIB * size_bytes / 2**20
    if timeout_s <= TIMEOUT_S:
        yield client
        return
    with connect(max_retries=PATIENT, timeout_s=timeout_s) as patient:
        yield patient
