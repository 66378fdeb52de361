"""What a kernel knows of inverted lists: places of the same block as `layout`'s, behind those.

c cells; D numbers are kept of a row, a multiple of 16; t tables, a multiple of 4; b blocks of
32 rows.
"""

from core.indexing.kernels import layout

(
    SCALES,  # (3,) float64: see below
    CENTER,  # (d,) float32: the mean of the rows
    BASIS,  # (D, d) float32: the directions that are kept
    KEPT,  # D
    CELLS,  # c
    CELL_CODES,  # (c/16, D/4, 16, 4) uint8: the cells, code + 128
    CELL_HALVES,  # (c,) float32: |cell|²/2
    TABLES,  # t
    WIDTHS,  # (t + 1,) int64: where each table's numbers begin
    POINTS,  # (D, 16) float32: the points of each table, number by number
    STARTS,  # (c + 1,) int64: where each cell's blocks begin
    LIST_CODES,  # (b, t/4, 64) uint8: 4-bit codes of rows, as `fastscan` has them
    LIST_ROWS,  # (b, 32) int32: which rows they are, -1 behind a cell's last
    LIST_BIASES,  # (b, 32) float32: what is added to an estimate; -inf behind a cell's last
    SIZE,
) = range(layout.SIZE, layout.SIZE + 15)

INVERSE_RADIUS, CELL_STEP, LEAST_STEP, SCALE_COUNT = range(4)
"""The places of `SCALES`: one over the rows' radius; the step of the cells' codes; the least step
of a vector's codes, so that |cell|²/2 in units of their products has no more than 30 bits."""
