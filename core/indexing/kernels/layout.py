"""What a kernel knows of an index: a block of int64, each named by its place here.

Addresses mostly. One array argument is four times cheaper to pass than each as its own.
"""

(
    COUNT,  # how many rows there are
    METRIC,
    FLOATS,  # (n, DIMENSION) float32: the rows as they are
    DIMENSION,
    NORMS,  # (n,) float64: their lengths
    CODES,  # (n, CODE_BYTES) uint8: the rows' codes, c + 128; 0 if there are none
    CODE_BYTES,
    RESIDUALS,  # (n,) float32: no less than the length of a row less its code
    REACHES,  # (n,) float32: no less than the length of what is coded of a row
    HALVES,  # (n,) float64: |x|²/2 of what is coded, under l2
    BIAS,  # (n,) int32: |c|²/2 under l2; 0 where a distance of codes is their product alone
    OFFSETS,  # (n,) int32: what makes a distance comparable across queries; while building
    LINKS,  # (n, DEGREE_0) int32: neighbours on level 0, -1 behind the last
    DEGREE_0,
    UPPER_LINKS,  # (m, DEGREE) int32: of the nodes above level 0, level after level
    UPPER_PLACES,  # (n,) int32: a node's first row of those
    DEGREE,
    LEVELS,  # (n,) uint8: the highest level of each node; while building
    DENSE,  # (n,) uint8: 1 for the nodes whose neighbours codes cannot rank; while building
    ENTRY,  # the node where each search begins
    TOP_LEVEL,  # its level
    SIZE,
) = range(22)

COSINE, DOT, L2 = range(3)

TAG, POOL, FRONTIER, FRONTIER_LIMIT, BATCH, VISITED, QUERY, SCRATCH_SIZE = range(8)
"""The places of a walk's scratch memory in its own block: addresses, and the last tag used.

A row is visited if it bears the walk's tag, so that nothing has to be wiped between two.
"""
