"""The filter builder, where chunks are browsed and searched."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.stack import Stack

SCHEMA: dict[str, Any] = {
    "fields": {
        "year": {"type": "integer"},
        "kind": {"type": "string", "enum": ["port", "inn"]},
        "open": {"type": "boolean"},
    },
    "additional": False,
}


@pytest.fixture(scope="module")
def library(stack: Stack) -> str:
    """Return the id of a library with a schema and three chunks."""
    with stack.client() as client:
        library = client.libraries.create("Places", metadata_schema=SCHEMA)
        years = {"Calicut": (1341, "port"), "Tamralipti": (414, "port"), "Nalanda": (637, "inn")}
        chunks: list[Any] = [
            {"text": text, "metadata": {"year": year, "kind": kind, "open": kind == "inn"}}
            for text, (year, kind) in years.items()
        ]
        client.documents.create(library.id, title="Places", chunks=chunks)
        return library.id


def condition(page: Page, number: int, field: str, operator: str, value: str) -> None:
    """Fill in a condition of the builder."""
    page.get_by_role("button", name="Add a condition").click()
    row = page.get_by_role("group", name="Condition").nth(number)
    row.get_by_label("Field", exact=True).fill(field)
    row.get_by_label("Field", exact=True).press("Tab")
    row.get_by_label("Operator").select_option(operator)
    row.get_by_label("Value").fill(value)


def test_conditions_are_written_as_json_and_kept_in_the_address(page: Page, library: str) -> None:
    page.goto(f"/#/chunks/{library}")
    expect(page.locator(".chunks .text")).to_have_count(3)
    condition(page, 0, "year", "is at least", "500")
    condition(page, 1, "kind", "is one of", "port, ship")
    json = page.get_by_label("Filter, as JSON")
    expect(json).to_have_value(
        '{"and":[{"field":"year","op":"gte","value":500},'
        '{"field":"kind","op":"in","value":["port","ship"]}]}'
    )
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".chunks .text")).to_have_text(["Calicut"])
    page.get_by_label("Chunks that match").select_option("any of these")
    page.get_by_label("Order by").fill("-year")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".chunks .text")).to_have_text(["Calicut", "Nalanda", "Tamralipti"])
    page.get_by_role("button", name="Remove the condition").first.click()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".chunks .text")).to_have_text(["Calicut", "Tamralipti"])
    page.reload()
    expect(page.get_by_label("Value")).to_have_value("port, ship")
    expect(page.locator(".chunks .text")).to_have_count(2)


def test_operators_and_values_fit_the_type_of_the_field(page: Page, library: str) -> None:
    page.goto(f"/#/chunks/{library}")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Field", exact=True).fill("open")
    page.get_by_label("Field", exact=True).press("Tab")
    operators = page.get_by_label("Operator").locator("option").all_text_contents()
    assert "equals" in operators
    assert "contains" not in operators
    page.get_by_label("Value").select_option("true")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".chunks .text")).to_have_text(["Nalanda"])
    page.get_by_label("Field", exact=True).fill("year")
    page.get_by_label("Field", exact=True).press("Tab")
    page.get_by_label("Value").fill("long ago")
    expect(page.get_by_role("alert")).to_have_text("long ago is not a number.")


def test_json_is_shown_in_rows_where_rows_can_say_it(page: Page, library: str) -> None:
    page.goto(f"/#/chunks/{library}")
    json = page.get_by_label("Filter, as JSON")
    json.fill('{"field": "year", "op": "between", "value": [400, 700]}')
    expect(page.get_by_label("Value")).to_have_value("400, 700")
    json.fill('{"not": {"field": "kind", "op": "eq", "value": "port"}}')
    expect(page.get_by_text("This filter says more than rows can show.")).to_be_visible()
    expect(page.get_by_role("button", name="Add a condition")).to_be_disabled()
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".chunks .text")).to_have_text(["Nalanda"])


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("year >= 500", "The filter is not JSON"),
        ('{"field": "yaer", "op": "eq", "value": 1}', "/filter/field The schema has no field"),
        ('{"field": "year", "op": "like", "value": 1}', "/filter/op"),
        ('{"field": "year", "op": "eq", "value": "old"}', "/filter/value"),
        ("[]", "/filter"),
    ],
)
def test_a_wrong_filter_is_named(
    refused_page: Page, library: str, written: str, message: str
) -> None:
    page = refused_page
    page.goto(f"/#/chunks/{library}")
    expect(page.locator(".chunks .text")).to_have_count(3)
    page.get_by_label("Filter, as JSON").fill(written)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("alert").last).to_contain_text(message)


def test_the_search_takes_the_filter(page: Page, library: str) -> None:
    page.goto(f"/#/search/{library}")
    condition(page, 0, "year", "is less than", "500")
    page.get_by_label("Text").fill("port")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("The index has 1 of these 1 hits.")).to_be_visible()
    for column in page.locator(".columns section").all()[:3]:
        expect(column.locator(".text")).to_have_text(["Tamralipti"])
