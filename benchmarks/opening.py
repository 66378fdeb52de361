"""Subjects of `benchmarks/restart.py`: each creates a database of the rows, or opens one and
queries it.

Each runs in its own process, timed from outside, including its imports.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NAME = "restarted"
AT_ONCE = 1_000

Floats = NDArray[np.float32]


def fill_chroma(place: Path, rows: Floats) -> None:
    import chromadb

    client = chromadb.PersistentClient(str(place))
    collection = client.create_collection(NAME, metadata={"hnsw:space": "cosine"})
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        ids = [str(start + i) for i in range(len(some))]
        collection.add(ids=ids, embeddings=some, documents=[f"Chunk {id_}" for id_ in ids])


def ask_chroma(place: Path, query: Floats) -> str:
    import chromadb

    collection = chromadb.PersistentClient(str(place)).get_collection(NAME)
    return str(collection.query(query_embeddings=query[np.newaxis], n_results=10)["ids"][0][0])


def fill_lancedb(place: Path, rows: Floats) -> None:
    import lancedb
    import pyarrow as pa

    table = pa.table(
        {
            "id": [str(i) for i in range(len(rows))],
            "text": [f"Chunk {i}" for i in range(len(rows))],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(rows.ravel()), rows.shape[1]),
        }
    )
    made = lancedb.connect(str(place)).create_table(NAME, table)
    made.create_index(metric="cosine", index_type="IVF_HNSW_SQ", num_partitions=1)


def ask_lancedb(place: Path, query: Floats) -> str:
    import lancedb

    table: Any = lancedb.connect(str(place)).open_table(NAME)
    return str(table.search(query).distance_type("cosine").limit(10).to_list()[0]["id"])


PEERS: Mapping[str, tuple[Callable[[Path, Floats], None], Callable[[Path, Floats], str]]] = {
    "Chroma": (fill_chroma, ask_chroma),
    "LanceDB": (fill_lancedb, ask_lancedb),
}


def main(verb: str, name: str, place: Path, rows: Path) -> None:
    fill, ask = PEERS[name]
    if verb == "fill":
        fill(place, np.load(rows))
    else:
        print(ask(place, np.load(rows, mmap_mode="r")[0]))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
