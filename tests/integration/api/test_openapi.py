"""The OpenAPI document is complete and correct for all requests."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as generated
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from api.main import create_app
from core.settings import Settings

METHODS = {"get", "post", "put", "patch", "delete"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    unsupported_method,
]
SEEDED = {"library_id": "seeded", "document_id": "seeded", "chunk_id": "seeded"}
SEEDS: dict[str, Any] = {
    "/libraries/{library_id}": {"name": "seeded", "dimension": 2},
    "/libraries/{library_id}/documents/{document_id}": {},
    "/libraries/{library_id}/chunks/{chunk_id}": {
        "document_id": "seeded",
        "text": "t",
        "embedding": [1, 0],
    },
}


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & set(item):
            yield f"{method} {path}", item[method]


async def test_each_body_has_a_schema_and_an_example(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    bodies = {
        name: operation["requestBody"]
        for name, operation in operations(document)
        if "requestBody" in operation
    }
    assert len(bodies) == 27
    for name, body in bodies.items():
        for media_type, content in body["content"].items():
            if media_type == "application/octet-stream":
                assert content["schema"]["description"], name
                continue
            assert content["example"], name
            if name.startswith("patch"):
                assert "RFC 7396" in content["schema"]["description"]
            else:
                kind = content["schema"]["$ref"].removeprefix("#/components/schemas/")
                assert kind in document["components"]["schemas"]


async def test_each_error_is_a_problem_document(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    for name, operation in operations(document):
        errors = {c: r for c, r in operation["responses"].items() if int(c) >= 400}
        assert {"400", "403", "421"} <= set(errors), name
        if name.startswith("get /readyz"):
            continue
        for code, response in errors.items():
            assert set(response["content"]) == {"application/problem+json"}, (name, code)
        if "{" in name:
            assert {"404", "422"} <= set(errors), name


async def test_a_stream_has_the_schema_of_its_events(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    answer = document["paths"]["/query/{workflow_id}/events"]["get"]["responses"]["200"]
    content = answer["content"]["text/event-stream"]
    assert content["itemSchema"] == content["schema"]["items"]
    kinds = schemas[content["itemSchema"]["$ref"].rpartition("/")[2]]["oneOf"]
    names = [kind["properties"]["event"]["const"] for kind in kinds]
    assert names == [
        *("stage", "hits", "review", "token", "retry"),
        *("citation", "result", "error"),
    ]
    for kind in kinds:
        model = kind["properties"]["data"]["contentSchema"]["$ref"].rpartition("/")[2]
        assert schemas[model]["properties"]


async def test_operations_have_names_of_their_own(api: httpx.AsyncClient) -> None:
    document = (await api.get("/openapi.json")).json()
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert {"create_library", "search", "ask", "patch_chunk"} <= set(names)


@pytest.fixture(scope="module")
def document(
    tmp_path_factory: pytest.TempPathFactory, temporal_address: str
) -> Iterator[schemathesis.BaseSchema]:
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        temporal_address=temporal_address,
        provider="local",
        min_position_wait_s=0,
        allowed_hosts=("testserver",),  # starlette's test client uses this host
    )
    loaded = schemathesis.openapi.from_asgi("/openapi.json", create_app(settings))
    for path, body in SEEDS.items():
        loaded[path]["PUT"].Case(path_parameters=SEEDED, body=body).call()
    yield loaded
    shutdown_lifespans()


def test_it_keeps_its_word(document: schemathesis.BaseSchema, subtests: pytest.Subtests) -> None:
    for parsed in document.get_all_operations():
        assert isinstance(parsed, Ok)
        operation = parsed.ok()
        with subtests.test(operation.label):
            try_out(operation)


def try_out(operation: schemathesis.APIOperation[Any, Any, Any, Any]) -> None:
    @generated(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def answers_as_documented(case: schemathesis.Case[Any]) -> None:
        # An unreached position stays unreached, and no question is answered without a worker.
        case.headers.pop("Nalanda-Min-Position", None)
        case.query.pop("wait_s", None)
        # Names of existing entities, so that calls get further than a 404.
        for name in set(case.path_parameters) & {"library_id", "document_id", "chunk_id"}:
            case.path_parameters[name] = "seeded"
        case.call_and_validate(checks=CHECKS)

    answers_as_documented()
