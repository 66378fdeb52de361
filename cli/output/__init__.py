"""The output of commands: on a terminal, and elsewhere."""
