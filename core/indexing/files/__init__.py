"""What a checkpoint keeps of a library's indexes: files of arrays that are mapped, not parsed.

`durable`: how any file of a checkpoint is written. `container`, `writing`: a file of named arrays.
`indexes`, `attributes`: what each of a segment's indexes has in one. `docs/reference/files.md`
describes their bytes.
"""
