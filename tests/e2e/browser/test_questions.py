"""A question on the page: tokens as they are written, its review, its rerun and its deletion."""

from collections.abc import Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.browser.test_views import create
from tests.e2e.stack import Stack
from tests.event_stream import event_stream

TEXTS = (
    "The harbour of Tamralipti is nine fathoms deep.",
    "The harbour of Muziris is four fathoms deep.",
)
QUESTION = "How deep is the harbour?"


@pytest.fixture(scope="module")
def harbours(stack: Stack) -> str:
    """Return the id of a library with a document for each of two harbours."""
    return create(stack, "harbours", *TEXTS)


def ask(page: Page, library: str, *, review: bool = False) -> None:
    page.goto(f"/#/ask/in/{library}")
    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.get_by_label("Let me review").set_checked(review)
    page.get_by_role("button", name="Ask").click()


def check_accessible(page: Page) -> None:
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_a_second_tab_reviews_the_hits(stack: Stack, browser: Browser, harbours: str) -> None:
    with browser.new_context(base_url=stack.api_url, bypass_csp=True) as context:
        asking, reviewing = context.new_page(), context.new_page()
        ask(asking, harbours, review=True)
        expect(asking.get_by_role("form", name="Review")).to_be_visible()
        reviewing.goto(asking.url)
        form = reviewing.get_by_role("form", name="Review")
        hits = form.get_by_role("listitem")
        expect(hits).to_have_count(2)
        check_accessible(reviewing)
        for text, name in zip(TEXTS, ("Leave out", "Answer from it first"), strict=True):
            hits.filter(has_text=text).get_by_label(name).check()
        form.get_by_role("button", name="Approve").click()
        for page in (asking, reviewing):
            expect(page.locator(".answer mark")).to_have_text(TEXTS[1])
            expect(page.get_by_role("form", name="Review")).to_have_count(0)
            expect(page.locator("[data-chunk]")).to_have_count(1)


def test_another_question_is_reviewed_again_and_rejected(page: Page, harbours: str) -> None:
    ask(page, harbours, review=True)
    form = page.get_by_role("form", name="Review")
    form.get_by_label("Search for another question").fill("Where is Muziris?")
    form.get_by_role("button", name="Reject").click()
    expect(form.get_by_text("Where is Muziris?")).to_be_visible()
    form.get_by_role("button", name="Reject").click()
    expect(page.get_by_role("alert")).to_have_text("failed: The reviewer rejected what was found.")
    expect(form).to_have_count(0)


def test_a_refused_review_can_be_mended(refused_page: Page, harbours: str) -> None:
    page = refused_page
    ask(page, harbours, review=True)
    form = page.get_by_role("form", name="Review")
    hit = form.get_by_role("listitem").first
    hit.get_by_label("Leave out").check()
    hit.get_by_label("Answer from it first").check()
    form.get_by_role("button", name="Approve").click()
    expect(form.get_by_role("alert")).to_contain_text("both dropped and pinned")
    hit.get_by_label("Leave out").uncheck()
    form.get_by_role("button", name="Approve").click()
    expect(page.locator(".answer mark").first).to_be_visible()


def test_a_rerun_shows_the_difference(page: Page, harbours: str) -> None:
    ask(page, harbours)
    page.get_by_text("Ask again from a stage on").click()
    page.get_by_label("From", exact=True).select_option("rerank")
    expect(page.get_by_label("Candidates (k)")).to_be_disabled()
    page.get_by_label("Hits to answer from").fill("1")
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_role("heading", name="Difference from before")).to_be_visible()
    expect(page.get_by_role("heading", name="Hits lost")).to_be_visible()
    expect(page.get_by_text("retrieve: skipped")).to_be_visible()
    page.get_by_role("link", name="The question before").click()
    expect(page.get_by_text("retrieve: completed")).to_be_visible()


def test_a_question_is_deleted(stack: Stack, page: Page, harbours: str) -> None:
    ask(page, harbours)
    expect(page.get_by_text("Delete the question")).to_be_visible()
    question = page.url.rpartition("/")[2]
    page.get_by_text("Delete the question").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_visible()
    with stack.client() as client:
        assert question not in {each.workflow_id for each in client.queries.list(library=harbours)}


def test_tokens_are_shown_until_the_answer_comes(page: Page, stack: Stack, harbours: str) -> None:
    """The server's stream is replaced: no provider of the stack writes an answer in pieces."""
    with stack.client() as client:
        asked = client.queries.start(harbours, QUESTION)
        result = client.queries.wait(asked.workflow_id).result
    assert result is not None
    parts = [
        event_stream(
            (1000, "token", {"text": "The harbour"}), (1001, "token", {"text": " <b>is</b>"})
        ),
        event_stream((22000, "retry", {"attempt": 2}), (22001, "token", {"text": "Nine"})),
        event_stream((1000000, "result", result.model_dump(mode="json"))),
    ]
    resumed: list[str | None] = []
    waiting: list[Route] = []

    def respond(route: Route) -> None:
        resumed.append(route.request.headers.get("last-event-id"))
        waiting.append(route)

    def let(body: str) -> None:
        while not waiting:
            page.wait_for_timeout(50)
        waiting.pop().fulfill(content_type="text/event-stream", body=body)

    page.route("**/query/*/events", respond)
    ask(page, harbours)
    answer = page.locator(".answer")
    shown: Sequence[str] = ("The harbour <b>is</b>", "Nine", result.answer or "")
    for body, text in zip(parts, shown, strict=True):
        let(body)
        expect(answer).to_have_text(text)
    expect(page.locator(".answer mark").first).to_be_visible()
    assert resumed == [None, "1001", "22001"]
