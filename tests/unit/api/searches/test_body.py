"""The parser of ordinary searches takes only what the model takes, and reads the same from it."""

from dataclasses import fields

import numpy as np
import pytest
from starlette.exceptions import HTTPException

from api.http.bodies.json import parse
from api.searches.body import parse_vector_search
from api.wire import search as wire
from core.domain.errors import Invalid
from core.services.search.request import SearchRequest
from tests.differential.requests import generate


def by_model(body: bytes) -> SearchRequest | None:
    try:
        return parse(wire.SearchRequest, body).request("l")
    except (Invalid, HTTPException):
        return None


@pytest.mark.parametrize("compiled", [False, True])
def test_generated_bodies(compiled: bool) -> None:
    taken = 0
    for generated in generate(2_000, seed=3):
        if ("Content-Type", "application/octet-stream") in generated.headers:
            continue
        request = parse_vector_search("l", generated.body, compiled=compiled)
        if request is None:
            continue
        taken += 1
        expected = by_model(generated.body)
        assert expected is not None, generated.body
        for each in fields(SearchRequest):
            ours, theirs = getattr(request, each.name), getattr(expected, each.name)
            assert np.array_equal(ours, theirs), (generated.body, each.name)
            assert type(ours) is type(theirs) or each.name == "include", (generated.body, each.name)
    assert taken > 800
