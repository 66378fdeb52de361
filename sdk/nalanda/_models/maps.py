"""Models of pictures: of a library's vectors in two dimensions, and of a page."""

from array import array
from base64 import b64decode
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from nalanda._models.base import Embedding, Model
from nalanda._vectors import little_endian

MapPart = Literal["points", "health"]


def _unpack_codes(packed: object) -> object:
    """Return the integers of a base64 string of int32; leave other values for the model."""
    if not isinstance(packed, str):
        return packed
    return little_endian(array("i", b64decode(packed, validate=True))).tolist()


Codes = Annotated[list[int], BeforeValidator(_unpack_codes)]


class Neighbours(Model):
    """A chunk, the nearest other chunk, and the cosine of their embeddings."""

    chunk_id: str
    nearest_id: str
    similarity: float


class EmbeddingHealth(Model):
    """The health of a library's embeddings.

    `probed`: the number of chunks whose nearest neighbour was looked up. `degenerate`: chunks whose
    vectors have no length to speak of.
    """

    probed: int
    near_duplicates: list[Neighbours]
    outliers: list[Neighbours]
    degenerate: list[str]


class MapPoints(Model):
    """The points of a map, in columns of one length.

    `codes`: the place in `values` of each point's value, −1 without one.
    """

    chunk_ids: list[str]
    x: Embedding
    y: Embedding
    values: list[Any] | None = None
    codes: Codes | None = None


class EmbeddingMap(Model):
    """The map of a library at `position`; all else is `None` until the first map is drawn.

    `state`: `computing` if a map of a later position is being drawn. `total`: the number of chunks,
    of which the points are a sample if there are fewer. `explained`: the share of the variance
    along each axis. `query`: the point of the text.
    """

    state: Literal["ready", "computing"]
    position: int | None = None
    total: int | None = None
    explained: list[float] | None = None
    points: MapPoints | None = None
    health: EmbeddingHealth | None = None
    query: list[float] | None = None


class PagePicture(Model):
    """A page of a document as PNG; an edge of a box times `scale` is its place in pixels."""

    png: bytes
    scale: float
