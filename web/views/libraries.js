// Libraries, and the documents and chunks of one.

import { call } from "../api.js";
import { chunkItem } from "../chunk.js";
import { description, element, failure, field, select, table } from "../dom.js";

export const TITLE = "Libraries";

const PAGE = 50;
const LANGUAGES = [["english", "English"], ["auto", "detected from the texts"], ["none", "none"]];

export async function show(main, [library, document], signal) {
  if (document) await showDocument(main, library, document, signal);
  else if (library) await showLibrary(main, library, signal);
  else await showList(main, signal);
}

/** Return a link to a library. */
export function linkTo(library, name) {
  return element("a", { href: `#/libraries/${encodeURIComponent(library)}` }, name);
}

/** Return all libraries' [id, name] pairs; at most 1,000. */
export async function names(signal) {
  const { items } = await call("GET", "/libraries?limit=1000", undefined, signal);
  return items.map(({ id, name }) => [id, name]);
}

async function showList(main, signal) {
  const rows = element("div");
  main.append(element("h1", {}, "Libraries"), rows, creation());
  await showPages(rows, "/libraries", "No library yet. Create one below.", signal, (items) =>
    table(
      "Libraries",
      ["Name", "Dimension", "Metric", "Model", "Language"],
      items.map((each) => [
        linkTo(each.id, each.name),
        String(each.dimension ?? "–"),
        each.metric,
        each.embedding_model ?? "–",
        each.language,
      ]),
    ),
  );
}

/** Append a page of a listing to a node, with a button for the next one. */
async function showPages(node, path, empty, signal, render, cursor = null) {
  const joint = path.includes("?") ? "&" : "?";
  const from = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const page = await call("GET", `${path}${joint}limit=${PAGE}${from}`, undefined, signal);
  if (!page.items.length && !cursor) node.append(element("p", {}, empty));
  else node.append(render(page.items));
  if (!page.next_cursor) return;
  const more = element("button", { type: "button" }, "More");
  more.addEventListener("click", () => {
    more.remove();
    showPages(node, path, empty, signal, render, page.next_cursor).catch((error) =>
      node.append(failure(error)),
    );
  });
  node.append(more);
}

function creation() {
  const form = element(
    "form",
    { class: "row" },
    element("h2", {}, "Create a library"),
    field("Name", element("input", { name: "name", required: true, autocomplete: "off" })),
    field("Metric", select("metric", [["cosine", "cosine"], ["dot", "dot"], ["l2", "l2"]])),
    field("Language", select("language", LANGUAGES)),
    element("button", {}, "Create"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector(".failure")?.remove();
    try {
      const { id } = await call("POST", "/libraries", Object.fromEntries(new FormData(form)));
      location.hash = `#/libraries/${encodeURIComponent(id)}`;
    } catch (error) {
      form.append(failure(error));
    }
  });
  return form;
}

async function showLibrary(main, id, signal) {
  const path = `/libraries/${encodeURIComponent(id)}`;
  const [library, index] = await Promise.all([
    call("GET", path, undefined, signal),
    call("GET", `${path}/index`, undefined, signal),
  ]);
  const documents = element("section", {}, element("h2", {}, "Documents"));
  main.append(
    element("h1", {}, library.name),
    element("p", {}, library.description ?? ""),
    description([
      ["Id", library.id],
      ["Model", library.embedding_model],
      ["Dimension", library.dimension && String(library.dimension)],
      ["Metric", library.metric],
      ["Language", library.language],
      ["Index", `${index.kind}, ${index.state}`],
      ["Vectors", `${index.vectors} in ${count(index.segments)} segments, ${index.deleted} deleted`],
      ["Memory", `${(index.memory_bytes / 2 ** 20).toFixed(1)} MiB`],
      ["Schema", library.metadata_schema && JSON.stringify(library.metadata_schema.fields)],
    ]),
    element(
      "p",
      { class: "actions" },
      element("a", { href: `#/ask/in/${encodeURIComponent(id)}` }, "Ask it a question"),
      element("a", { href: `#/search/${encodeURIComponent(id)}` }, "Search it"),
      element("a", { href: `#/ingest/into/${encodeURIComponent(id)}` }, "Add files"),
    ),
    documents,
    deletion(library, path),
  );
  await showPages(documents, `${path}/documents`, "No document yet.", signal, (items) =>
    table(
      "Documents",
      ["Title", "Source", "Updated"],
      items.map((each) => [
        element(
          "a",
          { href: `#/libraries/${encodeURIComponent(id)}/${encodeURIComponent(each.id)}` },
          each.title ?? each.source ?? each.id,
        ),
        each.source ?? "–",
        each.updated_at,
      ]),
    ),
  );
}

function count(segments) {
  return Array.isArray(segments) ? segments.length : segments;
}

function deletion(library, path) {
  const name = element("input", { name: "name", autocomplete: "off", required: true });
  const button = element("button", { class: "danger", disabled: true }, "Delete the library");
  name.addEventListener("input", () => (button.disabled = name.value !== library.name));
  const form = element(
    "form",
    { class: "row" },
    element("h2", {}, "Delete"),
    field(`Type ${library.name} to delete it with all documents`, name),
    button,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await call("DELETE", path);
      location.hash = "#/libraries";
    } catch (error) {
      form.append(failure(error));
    }
  });
  return form;
}

async function showDocument(main, library, id, signal) {
  const path = `/libraries/${encodeURIComponent(library)}/documents/${encodeURIComponent(id)}`;
  const document = await call("GET", path, undefined, signal);
  const chunks = element("section", {}, element("h2", {}, "Chunks"));
  main.append(
    element("p", {}, linkTo(library, "← The library")),
    element("h1", {}, document.title ?? document.source ?? document.id),
    description([
      ["Id", document.id],
      ["Source", document.source],
      ["Metadata", JSON.stringify(document.metadata)],
      ["Updated", document.updated_at],
    ]),
    chunks,
  );
  await showPages(chunks, `${path}/chunks`, "No chunk.", signal, (items) =>
    element(
      "ol",
      { class: "chunks" },
      items.map((each) => chunkItem(library, each)),
    ),
  );
}
