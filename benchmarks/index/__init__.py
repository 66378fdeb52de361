"""Nalanda's indexes beside the native libraries: the same data, the same process, in turn."""
