"""Documentation sets out of packages, and questions about them, for `nalanda eval`."""
