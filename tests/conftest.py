"""Fixtures for every test."""

import os

from hypothesis import settings

from tests.postgres import postgres, postgres_url
from tests.temporal import temporal, temporal_address

__all__ = ["postgres", "postgres_url", "temporal", "temporal_address"]

# What a person has set for terminals is no part of a test: one that needs a terminal names it.
for name in ("COLORTERM", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE"):
    os.environ.pop(name, None)

# No test fails for being slow: machines are shared, and what is compiled is so at its first call.
settings.register_profile("nalanda", deadline=None)
settings.load_profile("nalanda")
