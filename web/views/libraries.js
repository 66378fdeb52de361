// Libraries, and the documents of one with their chunks.

import { call } from "../api.js";
import { description, element, field, onSubmit, select, table } from "../dom.js";
import { chunkItem } from "../parts/chunk.js";
import { pageOf, showPages } from "../parts/paging.js";
import { number, t } from "../text.js";

export const TITLE = t("Libraries");

const PAGE = 50;
const LANGUAGES = [["english", t("English")], ["auto", t("detected from the texts")], ["none", t("none")]];

export async function show(main, [library, document], signal) {
  if (document) await showDocument(main, library, document, signal);
  else if (library) await showLibrary(main, library, signal);
  else await showList(main, signal);
}

/** Return a link to a library. */
export function linkTo(library, name) {
  return element("a", { href: `#/libraries/${encodeURIComponent(library)}`, dir: "auto" }, name);
}

async function showList(main, signal) {
  const rows = element("div");
  main.append(element("h1", {}, t("Libraries")), opening(), rows, creation());
  const load = (cursor) => call("GET", pageOf("/libraries", cursor, PAGE), undefined, signal);
  await showPages(rows, load, t("No library yet. Create one below."), (items) =>
    table(
      t("Libraries"),
      [t("Name"), t("Dimension"), t("Metric"), t("Model"), t("Language")],
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

function opening() {
  const form = element(
    "form",
    { class: "row" },
    field(t("Open a library"), element("input", { placeholder: t("A name or an id"), name: "ref", required: true, type: "search", autocomplete: "off" })),
    element("button", {}, t("Open")),
  );
  onSubmit(form, async ({ ref }) => {
    const { id } = await call("GET", `/libraries/${encodeURIComponent(ref)}`);
    location.hash = `#/libraries/${encodeURIComponent(id)}`;
  });
  return form;
}

function creation() {
  const form = element(
    "form",
    { class: "row" },
    element("h2", {}, t("Create a library")),
    field(t("Name"), element("input", { name: "name", required: true, autocomplete: "off" })),
    field(t("Metric"), select("metric", [["cosine", "cosine"], ["dot", "dot"], ["l2", "l2"]])),
    field(t("Language"), select("language", LANGUAGES)),
    element("button", {}, t("Create")),
  );
  onSubmit(form, async (body) => {
    const { id } = await call("POST", "/libraries", body);
    location.hash = `#/libraries/${encodeURIComponent(id)}`;
  });
  return form;
}

async function showLibrary(main, id, signal) {
  const path = `/libraries/${encodeURIComponent(id)}`;
  const [library, index] = await Promise.all([
    call("GET", path, undefined, signal),
    call("GET", `${path}/index`, undefined, signal),
  ]);
  const documents = element("section", {}, element("h2", {}, t("Documents")));
  main.append(
    element("h1", { dir: "auto" }, library.name),
    element("p", { dir: "auto" }, library.description ?? ""),
    description([
      [t("Id"), library.id],
      [t("Model"), library.embedding_model],
      [t("Dimension"), library.dimension && String(library.dimension)],
      [t("Metric"), library.metric],
      [t("Language"), library.language],
      [t("Index"), `${index.kind}, ${index.state}`],
      [t("Vectors"), vectorsOf(index)],
      [t("Memory"), `${number(index.memory_bytes / 2 ** 20, 1)} MiB`],
      [t("Schema"), library.metadata_schema && JSON.stringify(library.metadata_schema.fields)],
    ]),
    links(encodeURIComponent(id)),
    documents,
    deletion(library, path),
  );
  const load = (cursor) => call("GET", pageOf(`${path}/documents`, cursor, PAGE), undefined, signal);
  await showPages(documents, load, t("No document yet."), (items) =>
    table(
      t("Documents"),
      [t("Title"), t("Source"), t("Updated")],
      items.map((each) => [
        element(
          "a",
          { href: `#/libraries/${encodeURIComponent(id)}/${encodeURIComponent(each.id)}`, dir: "auto" },
          each.title ?? each.source ?? each.id,
        ),
        each.source ?? "–",
        each.updated_at,
      ]),
    ),
  );
}

function vectorsOf({ vectors, segments, deleted }) {
  const counts = { vectors: number(vectors), segments: number(segments), deleted: number(deleted) };
  return t("{vectors} in {segments} segments, {deleted} deleted", counts);
}

function links(id) {
  return element(
    "p",
    { class: "actions" },
    element("a", { href: `#/ask/in/${id}` }, t("Ask it a question")),
    element("a", { href: `#/search/${id}` }, t("Search it")),
    element("a", { href: `#/chunks/${id}` }, t("Browse its chunks")),
    element("a", { href: `#/map/${id}` }, t("See its map")),
    element("a", { href: `#/ingest/into/${id}` }, t("Add files")),
  );
}

function deletion(library, path) {
  const name = element("input", { name: "name", autocomplete: "off", required: true });
  const button = element("button", { class: "danger", disabled: true }, t("Delete the library"));
  name.addEventListener("input", () => (button.disabled = name.value !== library.name));
  const form = element(
    "form",
    { class: "row" },
    element("h2", {}, t("Delete")),
    field(t("Type {name} to delete it with all documents", library), name),
    button,
  );
  onSubmit(form, async () => {
    await call("DELETE", path);
    location.hash = "#/libraries";
  });
  return form;
}

async function showDocument(main, library, id, signal) {
  const path = `/libraries/${encodeURIComponent(library)}/documents/${encodeURIComponent(id)}`;
  const document = await call("GET", path, undefined, signal);
  const chunks = element("section", {}, element("h2", {}, t("Chunks")));
  main.append(
    element("p", {}, linkTo(library, t("← The library"))),
    element("h1", { dir: "auto" }, document.title ?? document.source ?? document.id),
    description([
      [t("Id"), document.id],
      [t("Source"), document.source],
      [t("Metadata"), JSON.stringify(document.metadata)],
      [t("Updated"), document.updated_at],
    ]),
    chunks,
  );
  const load = (cursor) => call("GET", pageOf(`${path}/chunks`, cursor, PAGE), undefined, signal);
  await showPages(chunks, load, t("No chunk."), (items) =>
    element("ol", { class: "chunks" }, items.map((each) => chunkItem(library, each))),
  );
}
