"""Fixtures for every test."""

import os

from hypothesis import settings

from tests.distribution import (
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_xdist_auto_num_workers,
    pytest_xdist_make_scheduler,
)
from tests.postgres import postgres, postgres_url
from tests.temporal import temporal, temporal_address

__all__ = [
    "postgres",
    "postgres_url",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_xdist_auto_num_workers",
    "pytest_xdist_make_scheduler",
    "temporal",
    "temporal_address",
]

# A user's terminal settings must not affect tests: a test that needs a terminal sets its own.
for name in ("COLORTERM", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR", "TTY_COMPATIBLE"):
    os.environ.pop(name, None)

# No test fails for slowness: machines are shared, and kernels compile at their first call.
settings.register_profile("nalanda", deadline=None)
settings.load_profile("nalanda")
