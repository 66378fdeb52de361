"""Ingestions as workflows: their files kept, started, followed and steered through Temporal."""
