"""The two films, recorded from real runs: installing and using Nalanda, and how it works."""
