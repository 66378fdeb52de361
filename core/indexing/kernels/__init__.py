"""The inner loops, compiled by numba: no classes, no allocation, only numpy arrays and addresses.

Kernels run without the GIL on rows that never change (docs/explanation/concurrency.md). A search's
scratch memory belongs to that search alone.
"""
