"""Use of the page in Chromium, from the first library to a cited answer."""

import itertools
import re
from pathlib import Path

from playwright.sync_api import Browser, Page, Request, Route, expect

from nalanda import IngestItemOptions
from tests.e2e.stack import Stack
from tests.unit.core.documents.pdf.files import HARBOUR, PEPPER, paragraph, story

HOSTILE = "<img src=x onerror=document.title='run'><script>document.title='run'</script>\u202e"


def create(stack: Stack, name: str, *texts: str) -> str:
    """Create a library with a document of each text; return the library's id."""
    with stack.client() as client:
        library = client.libraries.create(name=name)
        for number, text in enumerate(texts):
            client.documents.create(library.id, title=f"Text {number}", text=text)
        return library.id


def test_an_ingested_file_answers_a_question(stack: Stack, page: Page, tmp_path: Path) -> None:
    path = tmp_path / "ports.md"
    path.write_text(
        "# Ports\n\nThe harbour of Tamralipti is nine fathoms deep. 🚢 Pepper leaves.\n"
    )
    page.goto("/")
    page.get_by_label("Name").fill("ports")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("link", name="Add files").click()
    page.get_by_label("Files", exact=True).set_input_files(path)
    page.get_by_role("button", name="Ingest").click()
    expect(page.get_by_text(re.compile("^completed, 1 chunks"))).to_be_visible()
    expect(page.get_by_text("ports.md: added")).to_be_visible()

    page.get_by_role("link", name="Ask the library a question").click()
    page.get_by_label("Question", exact=True).fill("How deep is the harbour of Tamralipti?")
    page.get_by_role("button", name="Ask").click()

    answer = page.locator(".answer mark").first
    expect(answer).to_have_text("The harbour of Tamralipti is nine fathoms deep.")
    quoted = page.locator("blockquote mark")
    expect(quoted).to_have_text("The harbour of Tamralipti is nine fathoms deep.")
    expect(page.get_by_text("answer: completed")).to_be_visible()

    page.reload()
    expect(answer).to_be_visible()


def test_a_pdf_answers_with_its_page(page: Page, stack: Stack, tmp_path: Path) -> None:
    path = tmp_path / "harbour.pdf"
    path.write_bytes(story(paragraph(HARBOUR), paragraph(PEPPER)))
    with stack.client() as client:
        library = client.libraries.create("printed").id
    page.goto(f"/#/ingest/into/{library}")
    page.get_by_label("Files", exact=True).set_input_files(path)
    page.get_by_role("button", name="Ingest").click()
    expect(page.get_by_text("harbour.pdf: added")).to_be_visible()
    page.get_by_role("link", name="Ask the library a question").click()
    page.get_by_label("Question", exact=True).fill("How deep is the harbour at the mole?")
    page.get_by_role("button", name="Ask").click()
    picture = page.get_by_role("img", name="Page 1, with a frame around the quoted passage")
    expect(picture).to_be_visible()
    colours = picture.evaluate("""canvas => {
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const found = new Set();
        for (let at = 0; at < data.length; at += 4) found.add(data.slice(at, at + 3).join(" "));
        return [...found];
    }""")
    assert {"194 37 92", "255 230 156", "255 255 255"} <= set(colours)


def test_an_ingestion_links_to_its_library_before_its_last_state(stack: Stack, page: Page) -> None:
    with stack.client() as client:
        library = client.libraries.create("linked").id
        items: list[IngestItemOptions] = [{"source": "a.md", "text": "The sky is blue."}]
        ingestion = client.ingestions.start(library, items).workflow_id

    answered = itertools.count()
    seen = itertools.count()

    def answer_first(route: Route) -> None:
        if next(answered) == 0:
            route.continue_()

    def is_second(request: Request) -> bool:
        return request.url == f"{stack.api_url}/ingest/{ingestion}" and next(seen) == 1

    page.route(f"**/ingest/{ingestion}", answer_first)
    with page.expect_request(is_second):
        page.goto(f"/#/ingest/{ingestion}")
    link = page.get_by_role("link", name="Ask the library a question")
    expect(link).to_have_attribute("href", f"#/ask/in/{library}")
    page.unroute_all(behavior="ignoreErrors")


def test_an_unknown_library_is_not_replaced_by_another(stack: Stack, refused_page: Page) -> None:
    create(stack, "known")
    for view in ("ask/in", "ingest/into", "map"):
        refused_page.goto(f"/#/{view}/nowhere")
        expect(refused_page.get_by_role("alert")).to_contain_text("nowhere")
        expect(refused_page.locator("select[name=library]")).to_have_count(0)


def test_a_library_is_asked_by_its_name(stack: Stack, page: Page) -> None:
    create(stack, "first of three")
    library = create(stack, "asked by name")
    create(stack, "last of three")
    page.goto("/#/ask/in/asked%20by%20name")
    expect(page.get_by_label("Library")).to_have_value(library)


def test_a_search_shows_each_mode(stack: Stack, page: Page) -> None:
    library = create(stack, "colours", "The sky is blue.", "Grass is green.")
    page.goto(f"/#/search/{library}")
    page.get_by_label("Text").fill("green grass")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("The index has 2 of these 2 hits.")).to_be_visible()
    for column in page.locator(".columns section").all():
        expect(column.locator(".text").first).to_have_text("Grass is green.")


def test_a_filter_that_is_no_json_is_named(stack: Stack, page: Page) -> None:
    library = create(stack, "filtered", "The sky is blue.")
    page.goto(f"/#/search/{library}")
    page.get_by_label("Text").fill("sky")
    page.get_by_label("Filter, as JSON").fill("year >= 2020")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert").last).to_contain_text("The filter is not JSON")


def test_markup_in_names_and_texts_is_text(stack: Stack, page: Page) -> None:
    library = create(stack, f"markup {HOSTILE[:60]}", HOSTILE)
    page.goto("/")
    expect(page.get_by_role("link", name="markup <img")).to_be_visible()
    page.goto(f"/#/search/{library}")
    page.get_by_label("Text").fill("document title")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".text").first).to_contain_text("<script>")
    expect(page).to_have_title("Search · Nalanda")


def test_a_chunk_is_edited_in_place(stack: Stack, page: Page) -> None:
    library = create(stack, "edited", "The sky is blue.")
    with stack.client() as client:
        [document] = client.documents.list(library)
        [chunk] = client.chunks.list(library)
        page.goto(f"/#/libraries/{library}/{document.id}")
        page.get_by_role("button", name=f"Edit {chunk.id}").press("Enter")
        text = page.get_by_label("Text")
        expect(text).to_be_focused()
        text.fill("The sky is grey.")
        page.get_by_label("Metadata").fill("grey")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("The metadata is not JSON")
        page.get_by_label("Metadata").fill('{"by": "me"}')
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text('{"by":"me"}')).to_be_visible()
        edited = client.chunks.get(library, chunk.id)
        assert (edited.text, edited.metadata) == ("The sky is grey.", {"by": "me"})


def test_a_conflict_shows_both_versions(stack: Stack, browser: Browser) -> None:
    library = create(stack, "contested", "The sky is blue.")
    with stack.client() as client, browser.new_page(base_url=stack.api_url) as page:
        [document] = client.documents.list(library)
        [chunk] = client.chunks.list(library)
        page.goto(f"/#/libraries/{library}/{document.id}")
        page.get_by_role("button", name=f"Edit {chunk.id}").click()
        page.get_by_label("Text").fill("The sky is grey.")
        theirs = {"text": "The sky is black.", "metadata": {"by": "other"}}
        client.chunks.update(library, chunk.id, theirs)
        page.get_by_role("button", name="Save").click()
        stored = page.get_by_role("region", name="On record now")
        expect(stored).to_contain_text("The sky is black.")
        assert client.chunks.get(library, chunk.id).text == "The sky is black."
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("button", name=f"Edit {chunk.id}")).to_be_focused()
        edited = client.chunks.get(library, chunk.id)
        assert (edited.text, edited.metadata) == ("The sky is grey.", {})


def test_a_library_is_deleted_only_under_its_name(stack: Stack, page: Page) -> None:
    library = create(stack, "doomed", "The sky is blue.")
    page.goto(f"/#/libraries/{library}")
    button = page.get_by_role("button", name="Delete the library")
    page.get_by_label("Type doomed").fill("doom")
    expect(button).to_be_disabled()
    page.get_by_label("Type doomed").fill("doomed")
    button.click()
    expect(page.get_by_role("heading", name="Libraries", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="doomed")).to_have_count(0)


def test_an_unknown_library_is_named_by_the_server(refused_page: Page) -> None:
    refused_page.goto("/#/libraries/nowhere")
    expect(refused_page.get_by_role("alert")).to_contain_text("nowhere")


def test_the_server_view_shows_readiness_and_requests(page: Page) -> None:
    page.goto("/#/server")
    expect(page.get_by_text("Ready", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="GET /readyz")).to_be_visible()
    expect(page.get_by_role("cell", name="(this one)")).to_be_visible()
    expect(page.get_by_role("cell", name="leader")).to_be_visible()


def test_the_reference_lists_the_calls(page: Page) -> None:
    page.goto("/docs")
    expect(page.locator(".opblock-summary-path").filter(has_text="/query").first).to_be_visible()
