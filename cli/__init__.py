"""The `nalanda` command."""
