"""What a checkpoint keeps of a library's indexes: files of arrays that are mapped, not parsed.

`durable`: how any file of a checkpoint is written. `container`: a file of named arrays.
"""
