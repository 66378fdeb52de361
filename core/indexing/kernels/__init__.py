"""The inner loops, compiled by numba: no classes, no allocation, numpy arrays and addresses only.

Kernels run without the GIL on rows that never change (docs/explanation/concurrency.md). What a
search writes to is scratch memory that it alone holds.
"""
