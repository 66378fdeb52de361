from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from api.main import create_app
from api.wire.libraries import LibraryRequest
from core.domain.library import IndexKind, IndexSpec, Library, Metric
from core.domain.schema import FieldRule, FieldType, MetadataSchema
from core.settings import Settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("model", create_app(Settings()).bodies)
def test_examples_are_what_they_are_examples_of(model: type[BaseModel]) -> None:
    for example in model.model_json_schema()["examples"]:
        model.model_validate(example, strict=False)


def test_a_library_can_be_made_again() -> None:
    library = Library(
        id="l",
        name="n",
        description=None,
        metadata={"a": {"b": [1]}},
        metadata_schema=MetadataSchema(
            {"y": FieldRule(FieldType.INTEGER, True, (1, 2)), "z": FieldRule(FieldType.STRING)},
            additional=False,
        ),
        dimension=3,
        metric=Metric.L2,
        index=IndexSpec(IndexKind.HNSW, {"m": 8}),
        embedding_model=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
    )
    draft = LibraryRequest.of(library).draft()
    for name in ("name", "description", "metadata", "metadata_schema", "dimension", "metric"):
        assert getattr(draft, name) == getattr(library, name)
    assert draft.index == library.index
