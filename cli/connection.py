"""The client that the commands use."""

from core.settings import Settings
from nalanda import Nalanda

HURRIED = 1
PATIENT = 7
"""Retries that sit out a restart of the server."""


def connect(settings: Settings | None = None, *, max_retries: int = HURRIED) -> Nalanda:
    """A client of the API that the settings name, with the first of their keys."""
    settings = settings or Settings()
    keys = settings.api_keys
    key = keys[0].get_secret_value() if keys else None
    return Nalanda(settings.api_url, api_key=key, max_retries=max_retries)
