"""The crash bench: real servers are killed under load, and what they promised is looked for."""
