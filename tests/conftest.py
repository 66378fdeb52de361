"""Fixtures for every test."""

from tests.postgres import postgres, postgres_url
from tests.temporal import temporal, temporal_address

__all__ = ["postgres", "postgres_url", "temporal", "temporal_address"]
