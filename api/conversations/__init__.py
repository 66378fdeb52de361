"""Conversations: their start, their turns, their state and their deletion."""
