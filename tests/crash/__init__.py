"""The crash bench: kills real servers under load, and checks their promises."""
