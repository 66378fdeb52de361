"""The tables of the record, read and written in the same way on either engine."""
