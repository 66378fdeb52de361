"""A conversation on the page: its turns, follow-ups, other tabs, its end, and what goes wrong."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.browser.conftest import open_page
from tests.e2e.browser.test_views import HOSTILE, create
from tests.e2e.stack import Stack
from tests.waiting import until

TAMRALIPTI = "The harbour of Tamralipti is nine fathoms deep."
MUZIRIS = "The harbour of Muziris is four fathoms deep."
QUESTION = "How deep is the harbour of Tamralipti?"
FOLLOW_UP = "And of Muziris?"
UNDERSTOOD = "Understood as: How deep is the harbour of Muziris?"
BEGIN = "Begin a conversation"


@pytest.fixture(scope="module")
def harbours(stack: Stack) -> str:
    """Return the id of a library with a document for each of two harbours."""
    return create(stack, "harbours of a conversation", TAMRALIPTI, MUZIRIS)


@pytest.fixture
def talk(stack: Stack, harbours: str) -> str:
    """Return the id of a conversation with one answered turn."""
    return begin(stack, harbours)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """Yield a stack of which a test ends parts."""
    with Stack(tmp_path) as stack:
        stack.start_all()
        yield stack


def begin(stack: Stack, library: str, turns: int = 1) -> str:
    """Begin a conversation with answered turns, of which it knows the ends; return its id."""
    with stack.client() as client:
        talk = client.conversations.create(library).id
        for _ in range(turns):
            client.ask(library, QUESTION, conversation_id=talk)
        until(lambda: client.conversations.get(talk).turns[-1].status == "completed")
        return talk


def show(page: Page, talk: str) -> None:
    page.goto(f"/#/ask/conversation/{talk}")
    expect(page.get_by_role("heading", name="Conversation", exact=True)).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Question", exact=True).fill(question)
    page.get_by_role("button", name="Ask", exact=True).click()


def turn(page: Page, number: int) -> Locator:
    return page.get_by_role("list", name="Turns").locator("> li").nth(number - 1)


def expect_answer(page: Page, number: int, text: str) -> None:
    expect(turn(page, number).locator(".answer mark").first).to_have_text(text)


def turns_of(stack: Stack, talk: str) -> list[str]:
    with stack.client() as client:
        return [turn.query for turn in client.conversations.get(talk).turns]


def test_a_follow_up_is_understood_and_stays_after_a_reload(
    stack: Stack, page: Page, harbours: str
) -> None:
    page.goto(f"/#/ask/in/{harbours}")
    page.get_by_label(BEGIN).check()
    ask(page, QUESTION)
    expect_answer(page, 1, TAMRALIPTI)
    expect(turn(page, 1).locator("blockquote mark")).to_have_text(TAMRALIPTI)
    expect(turn(page, 1).get_by_text("Understood as")).to_have_count(0)
    ask(page, FOLLOW_UP)
    expect(page.get_by_label("Question", exact=True)).to_have_value("")
    for _ in range(2):
        expect_answer(page, 2, MUZIRIS)
        expect(turn(page, 2).get_by_text(UNDERSTOOD)).to_be_visible()
        expect(page.get_by_role("heading", level=2)).to_have_text(
            [QUESTION, FOLLOW_UP, "Next question"]
        )
        page.reload()
    turn(page, 2).get_by_role("link", name="Stages, hits and next steps").click()
    expect(page.get_by_text("answer: completed")).to_be_visible()
    expect(page.get_by_text(UNDERSTOOD)).to_be_visible()
    page.get_by_role("link", name="← The conversation").click()
    expect_answer(page, 2, MUZIRIS)
    assert turns_of(stack, page.url.rpartition("/")[2]) == [QUESTION, FOLLOW_UP]


def test_a_turn_of_another_tab_is_shown(
    stack: Stack, browser: Browser, page: Page, talk: str
) -> None:
    show(page, talk)
    with open_page(browser, stack.api_url) as other:
        show(other, talk)
        ask(other, FOLLOW_UP)
        expect_answer(other, 2, MUZIRIS)
    expect_answer(page, 2, MUZIRIS)
    expect(turn(page, 2).get_by_text(UNDERSTOOD)).to_be_visible()
    ask(page, "And of Tamralipti?")
    expect_answer(page, 3, TAMRALIPTI)


def test_a_turn_while_another_runs_is_refused_and_keeps_its_text(
    refused_page: Page, stack: Stack, talk: str
) -> None:
    page = refused_page
    show(page, talk)
    page.get_by_label("Let me review").check()
    ask(page, FOLLOW_UP)
    review = turn(page, 2).get_by_role("form", name="Review")
    expect(review).to_be_visible()
    page.get_by_label("Let me review").uncheck()
    ask(page, QUESTION)
    expect(page.get_by_role("alert")).to_contain_text("is still running. Wait for its end")
    expect(page.get_by_label("Question", exact=True)).to_have_value(QUESTION)
    review.get_by_role("button", name="Approve").click()
    expect_answer(page, 2, MUZIRIS)
    page.get_by_role("button", name="Ask", exact=True).click()
    expect_answer(page, 3, TAMRALIPTI)
    assert turns_of(stack, talk) == [QUESTION, FOLLOW_UP, QUESTION]


def test_a_turn_is_cancelled(page: Page, talk: str) -> None:
    show(page, talk)
    page.get_by_label("Let me review").check()
    ask(page, FOLLOW_UP)
    turn(page, 2).get_by_role("button", name="Cancel").click()
    expect(turn(page, 2).locator(".failure")).to_contain_text("cancelled")
    page.reload()
    expect(turn(page, 2).locator(".failure")).to_contain_text("cancelled")


def test_a_conversation_is_ended_after_a_confirmation(
    stack: Stack, refused_page: Page, talk: str
) -> None:
    page = refused_page
    show(page, talk)
    end = page.get_by_role("button", name="End it")
    expect(end).to_be_hidden()
    page.get_by_text("End the conversation").click()
    end.click()
    expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role("alert")).to_contain_text(talk)
    with stack.client() as client:
        assert QUESTION in {question.query for question in client.queries.list()}


def test_a_conversation_that_was_ended_elsewhere(
    stack: Stack, refused_page: Page, talk: str
) -> None:
    page = refused_page
    show(page, talk)
    expect_answer(page, 1, TAMRALIPTI)
    page.get_by_label("Question", exact=True).fill("Typed")
    with stack.client() as client:
        client.conversations.delete(talk)
    expect(page.get_by_text("The conversation has ended.")).to_be_visible()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_disabled()
    expect(page.get_by_label("Question", exact=True)).to_have_value("Typed")
    expect_answer(page, 1, TAMRALIPTI)


def test_a_deleted_question_leaves_what_the_conversation_keeps(
    stack: Stack, refused_page: Page, talk: str
) -> None:
    with stack.client() as client:
        client.queries.delete(client.conversations.get(talk).turns[0].workflow_id)
    show(refused_page, talk)
    expect(turn(refused_page, 1).get_by_text("The question has been deleted.")).to_be_visible()
    expect(turn(refused_page, 1).locator(".answer")).to_contain_text(TAMRALIPTI)


def test_a_library_that_was_deleted(stack: Stack, refused_page: Page) -> None:
    page = refused_page
    library = create(stack, "short-lived", TAMRALIPTI)
    talk = begin(stack, library)
    with stack.client() as client:
        client.libraries.delete(library)
    show(page, talk)
    expect(page.get_by_text(f"There is no library '{library}'.")).to_be_visible()
    ask(page, FOLLOW_UP)
    expect(page.get_by_role("alert")).to_contain_text("There is no library")
    expect(turn(page, 1).locator(".answer")).to_contain_text(TAMRALIPTI)


def test_a_conversation_of_any_library_lets_one_choose(
    stack: Stack, page: Page, harbours: str
) -> None:
    with stack.client() as client:
        talk = client.conversations.create().id
    show(page, talk)
    page.get_by_label("Library").select_option(harbours)
    ask(page, QUESTION)
    expect_answer(page, 1, TAMRALIPTI)


def test_an_unknown_conversation_is_named(refused_page: Page) -> None:
    for name in ("none", "%3Cimg%20src=x%20onerror=document.title='run'%3E", "x" * 2_000):
        refused_page.goto("about:blank")
        show(refused_page, name)
        expect(refused_page.get_by_role("alert")).to_contain_text("There is no conversation")
        expect(refused_page).to_have_title("Ask · Nalanda")


def test_markup_code_and_directions_in_questions_are_text(page: Page, talk: str) -> None:
    show(page, talk)
    asked = (HOSTILE, 'What does\n`print("a")` do?', "كم عمق الميناء؟", "thanks!")
    for number, question in enumerate(asked, start=2):
        ask(page, question)
        heading = turn(page, number).get_by_role("heading")
        expect(heading).to_have_attribute("dir", "auto")
        assert heading.text_content() == question
        expect(turn(page, number).locator(".answer")).to_be_visible()
    expect(page).to_have_title("Ask · Nalanda")


def test_a_server_that_goes_away_and_comes_back_asks_once(browser: Browser, own: Stack) -> None:
    library = create(own, "lost and found", TAMRALIPTI, MUZIRIS)
    with own.client() as client:
        talk = client.conversations.create(library).id
    with open_page(browser, own.api_url, may_fail=True) as page:
        show(page, talk)
        expect(page.get_by_label("Question", exact=True)).to_be_visible()
        own.kill("api")
        expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
        ask(page, QUESTION)
        expect(page.locator("form").get_by_role("alert")).to_contain_text("does not answer")
        own.start("api")
        page.get_by_role("button", name="Ask", exact=True).click()
        expect_answer(page, 1, TAMRALIPTI)
        expect(page.get_by_role("alert")).to_have_count(0)

        own.stop("worker")
        expect(page.get_by_role("alert")).to_contain_text("nalanda worker")
        ask(page, FOLLOW_UP)
        expect(page.locator("form").get_by_role("alert")).to_contain_text("nalanda worker")
        page.reload()
        expect(page.get_by_role("alert")).to_contain_text("nalanda worker")
        own.start("worker")
        expect_answer(page, 2, MUZIRIS)
        expect(page.get_by_role("alert")).to_have_count(0)
    until(lambda: turns_of(own, talk) == [QUESTION, FOLLOW_UP])


def test_a_question_is_asked_once_however_often_it_is_sent(
    stack: Stack, page: Page, talk: str
) -> None:
    show(page, talk)
    page.get_by_label("Question", exact=True).fill(FOLLOW_UP)
    page.get_by_role("button", name="Ask", exact=True).evaluate(
        "button => { button.click(); button.click(); }"
    )
    expect_answer(page, 2, MUZIRIS)
    assert turns_of(stack, talk) == [QUESTION, FOLLOW_UP]


def test_by_keyboard_alone(page: Page, harbours: str) -> None:
    page.goto(f"/#/ask/in/{harbours}")
    page.get_by_label("Question", exact=True).press_sequentially(QUESTION)
    page.get_by_label("Question", exact=True).press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_label(BEGIN)).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect_answer(page, 1, TAMRALIPTI)
    quote = turn(page, 1).locator("blockquote")
    mark = turn(page, 1).locator(".answer mark").first
    for key in ("Enter", "Space"):
        quote.evaluate("quote => quote.replaceChildren()")
        mark.press(key)
        expect(quote.locator("mark")).to_have_text(TAMRALIPTI)
    page.get_by_text("End the conversation").press("Enter")
    page.get_by_role("button", name="End it").press("Enter")
    expect(page.get_by_role("heading", name="Ask", exact=True)).to_be_visible()


def test_the_first_of_many_turns_are_read_when_they_are_seen(
    stack: Stack, page: Page, harbours: str
) -> None:
    talk = begin(stack, harbours, turns=8)
    page.set_viewport_size({"width": 800, "height": 400})
    show(page, talk)
    expect_answer(page, 8, TAMRALIPTI)
    expect(turn(page, 8)).to_be_in_viewport()
    expect(turn(page, 1).locator(".answer")).to_contain_text(TAMRALIPTI)
    turn(page, 1).scroll_into_view_if_needed()
    expect_answer(page, 1, TAMRALIPTI)
    quote = turn(page, 1).locator("blockquote mark")
    expect(quote).to_have_count(0)
    turn(page, 1).locator(".answer mark").first.click()
    expect(quote).to_have_text(TAMRALIPTI)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 2560])
def test_it_has_no_finding_and_fits(
    stack: Stack, browser: Browser, talk: str, scheme: Literal["light", "dark"], width: int
) -> None:
    with browser.new_context(
        base_url=stack.api_url,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
        bypass_csp=True,
    ) as context:
        page = context.new_page()
        show(page, talk)
        page.get_by_label("Let me review").check()
        ask(page, "And of Muziris, " + "which_is_one_very_long_identifier" * 8 + "?")
        expect(turn(page, 2).get_by_role("form", name="Review")).to_be_visible()
        page.get_by_text("End the conversation").click()
        for direction in ("ltr", "rtl"):
            page.evaluate(f"document.documentElement.dir = '{direction}'")
            results = Axe().run(page)
            assert results.violations_count == 0, results.generate_report()
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow <= 0


def test_it_is_in_german_too(stack: Stack, browser: Browser, talk: str) -> None:
    with open_page(browser, stack.api_url, locale="de-DE") as page:
        page.goto(f"/#/ask/conversation/{talk}")
        expect(page.get_by_role("heading", name="Gespräch", exact=True)).to_be_visible()
        page.get_by_label("Frage", exact=True).fill(FOLLOW_UP)
        page.get_by_role("button", name="Fragen", exact=True).click()
        expect(page.get_by_text("Verstanden als:")).to_be_visible()
