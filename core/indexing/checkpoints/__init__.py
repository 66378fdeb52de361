"""The indexes of all libraries as of one position, in files that a start maps instead of building.

Derived from the record, and so never more than a way to start sooner: what is missing, damaged
or of another record is set aside, and made again. `segments`: the files of one segment, which
checkpoints share. `manifest`: what a checkpoint consists of. `writing`, `loading`: to and from
the catalog's state.
"""
