// A chunk, and its editing in place. A conflicting change is shown next to the edited text.

import { change, read } from "./api.js";
import { element, failure, field } from "./dom.js";

const CONFLICT = 412;

/** Return the list item of a chunk, which can be edited. */
export function chunkItem(library, chunk) {
  const item = element("li");
  const path = `/libraries/${encodeURIComponent(library)}/chunks/${encodeURIComponent(chunk.id)}`;
  showChunk(item, path, chunk);
  return item;
}

function showChunk(item, path, chunk) {
  const edit = element("button", { type: "button", "aria-label": `Edit ${chunk.id}` }, "Edit");
  edit.addEventListener("click", async () => {
    try {
      const { value, tag } = await read(path);
      showForm(item, path, value, tag);
    } catch (error) {
      item.append(failure(error));
    }
  });
  item.replaceChildren(...contents(chunk), edit);
  return edit;
}

function contents(chunk) {
  return [
    element("p", { class: "text", dir: "auto" }, chunk.text),
    element("p", { class: "faint" }, `${chunk.id} ${JSON.stringify(chunk.metadata)}`),
  ];
}

function showForm(item, path, chunk, tag) {
  const text = element("textarea", { name: "text", rows: "6", required: true, dir: "auto" }, chunk.text);
  const metadata = element("textarea", { name: "metadata", rows: "2" }, JSON.stringify(chunk.metadata));
  const save = element("button", {}, "Save");
  const cancel = element("button", { type: "button" }, "Cancel");
  const theirs = element("div");
  const form = element(
    "form",
    {},
    field("Text", text),
    field("Metadata, as JSON", metadata),
    theirs,
    element("div", { class: "actions" }, save, cancel),
  );
  cancel.addEventListener("click", () => showChunk(item, path, chunk).focus());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    theirs.replaceChildren();
    save.disabled = true;
    try {
      const patch = { text: text.value, metadata: difference(chunk.metadata, parsed(metadata.value)) };
      showChunk(item, path, await change(path, patch, tag)).focus();
    } catch (error) {
      theirs.append(failure(error));
      if (error.status === CONFLICT) ({ value: chunk, tag } = await showConflict(theirs, path));
    } finally {
      save.disabled = false;
    }
  });
  item.replaceChildren(form);
  text.focus();
}

/** Show the chunk as it is on record now, which the next Save replaces; return it with its ETag. */
async function showConflict(node, path) {
  const stored = await read(path);
  node.append(
    element(
      "section",
      { "aria-label": "On record now" },
      element("h3", {}, "On record now"),
      ...contents(stored.value),
      element("p", {}, "Save replaces it by your version; Cancel keeps it."),
    ),
  );
  return stored;
}

function parsed(text) {
  let value;
  try {
    value = JSON.parse(text || "{}");
  } catch (error) {
    throw new Error(`The metadata is not JSON: ${error.message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Error("The metadata must be a JSON object.");
  return value;
}

/** Return the merge patch that makes `after` of `before`; null removes a field (RFC 7396). */
function difference(before, after) {
  const removed = Object.keys(before).filter((name) => !(name in after));
  return { ...after, ...Object.fromEntries(removed.map((name) => [name, null])) };
}
