"""Checkpoints: all libraries' indexes at one position, in files that a start maps.

Checkpoints are derived from the record and only make a start faster. A file that is missing,
damaged or of another record is set aside, and its index is rebuilt. `segments`: the files of one
segment, which checkpoints share. `manifest`: the list of a checkpoint's files. `writing` and
`loading` convert from and to the catalog's state.
"""
