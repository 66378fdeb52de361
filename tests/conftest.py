"""Fixtures for every test."""

from hypothesis import settings

from tests.postgres import postgres, postgres_url
from tests.temporal import temporal, temporal_address

__all__ = ["postgres", "postgres_url", "temporal", "temporal_address"]

# No test fails for being slow: machines are shared, and what is compiled is so at its first call.
settings.register_profile("nalanda", deadline=None)
settings.load_profile("nalanda")
