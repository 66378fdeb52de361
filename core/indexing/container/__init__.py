"""The file format: named arrays that are mapped, with checksums, written durably."""
