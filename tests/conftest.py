"""Fixtures for every test."""

from tests.temporal import temporal, temporal_address

__all__ = ["temporal", "temporal_address"]
