"""The composition root: builds everything that the API serves from the settings."""

from core.bootstrap.core import Core
from core.bootstrap.opening import open_core, open_reader, publish_positions

__all__ = ["Core", "open_core", "open_reader", "publish_positions"]
