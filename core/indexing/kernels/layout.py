"""The block of int64 through which kernels access an index; each place has a name here.

Most values are addresses. One array argument is four times cheaper to pass than many.
"""

(
    COUNT,  # the number of rows
    METRIC,
    FLOATS,  # (n, DIMENSION) float32: the rows in full precision
    DIMENSION,
    NORMS,  # (n,) float64: the norms of the rows
    CODES,  # (n, CODE_BYTES) uint8: the rows' codes, c + 128; 0 without codes
    CODE_BYTES,
    RESIDUALS,  # (n,) float32: at least the norm of a row less its code
    REACHES,  # (n,) float32: at least the norm of the encoded row
    HALVES,  # (n,) float64: |x|²/2 of the encoded row, under l2
    BIAS,  # (n,) int32: |c|²/2 under l2; the address is 0 under other metrics
    OFFSETS,  # (n,) int32: makes distances comparable across queries; only while building
    LINKS,  # (n, DEGREE_0) int32: neighbours on level 0, -1 behind the last
    DEGREE_0,
    UPPER_LINKS,  # (m, DEGREE) int32: neighbours above level 0, level after level
    UPPER_PLACES,  # (n,) int32: a node's first row in UPPER_LINKS
    DEGREE,
    LEVELS,  # (n,) uint8: the highest level of each node; while building
    DENSE,  # (n,) uint8: 1 for the nodes whose neighbours codes cannot rank; while building
    ENTRY,  # the node where each search begins
    TOP_LEVEL,  # the level of ENTRY
    SIZE,
) = range(22)

COSINE, DOT, L2 = range(3)

TAG, POOL, FRONTIER, FRONTIER_LIMIT, BATCH, VISITED, QUERY, SCRATCH_SIZE = range(8)
"""The places of a walk's scratch memory in its own block: addresses, and the last used tag.

A row is visited if it has the walk's tag, so that nothing is cleared between walks.
"""
