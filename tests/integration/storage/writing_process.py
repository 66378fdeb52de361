"""A process that writes until it is killed, and says which positions it has been promised."""

import sys
from pathlib import Path

from core.adapters.sqlite import SqliteStore
from tests.samples import a_document, a_library, a_row


def main(data_dir: str) -> None:
    store = SqliteStore(Path(data_dir))
    while True:
        with store.write() as unit:
            position = unit.position
            unit.libraries.put(a_library(version=position))
            unit.documents.put(a_document(f"doc-{position}", version=position))
            rows = [a_row(f"{position}-{i}", f"doc-{position}") for i in range(10)]
            unit.chunks.put("lib", rows)
            unit.commit()
        print(position, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
