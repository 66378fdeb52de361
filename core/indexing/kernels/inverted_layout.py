"""The block of inverted lists: places behind those of `layout`.

c cells; D components of a row, a multiple of 16; t tables, a multiple of 4; b blocks of 32 rows.
"""

from core.indexing.kernels import layout

(
    SCALES,  # (3,) float64: see below
    CENTER,  # (d,) float32: the mean of the rows
    BASIS,  # (D, d) float32: the principal directions
    COMPONENTS,  # D
    CELLS,  # c
    CELL_CODES,  # (c/16, D/4, 16, 4) uint8: the cells, code + 128
    CELL_HALVES,  # (c,) float32: |cell|²/2
    TABLES,  # t
    WIDTHS,  # (t + 1,) int64: where each table's values begin
    POINTS,  # (D, 16) float32: the points of each table, value by value
    STARTS,  # (c + 1,) int64: where each cell's blocks begin
    LIST_CODES,  # (b, t/4, 64) uint8: 4-bit codes of rows, in the layout of `fastscan`
    LIST_ROWS,  # (b, 32) int32: the rows of the codes, -1 behind a cell's last
    LIST_BIASES,  # (b, 32) float32: added to an estimate; -inf behind a cell's last
    SIZE,
) = range(layout.SIZE, layout.SIZE + 15)

INVERSE_RADIUS, CELL_STEP, LEAST_STEP, SCALE_COUNT = range(4)
"""The places of `SCALES`: one over the rows' radius; the step of the cells' codes; the least step
of a vector's codes.

The least step keeps |cell|²/2, in units of the products, within 30 bits.
"""
