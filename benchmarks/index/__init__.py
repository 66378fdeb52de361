"""Nalanda's indexes compared with native libraries: same data, same process, in turn."""
