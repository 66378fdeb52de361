"""The tables of the record, with one implementation for both engines."""
