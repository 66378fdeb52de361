"""The routes of model changes, with Temporal."""
