// A chunk, and its editing in place. A conflicting change is shown next to the edited text.

import { change, read } from "../api.js";
import { button, element, failure, field, textOf } from "../dom.js";
import { t } from "../text.js";

const CONFLICT = 412;

/** Return the list item of a chunk, which can be edited. */
export function chunkItem(library, chunk) {
  const item = element("li");
  const path = `/libraries/${encodeURIComponent(library)}/chunks/${encodeURIComponent(chunk.id)}`;
  showChunk(item, path, chunk);
  return item;
}

function showChunk(item, path, chunk) {
  const begin = async () => {
    try {
      const { value, tag } = await read(path);
      showForm(item, path, value, tag);
    } catch (error) {
      item.append(failure(error));
    }
  };
  const edit = button(t("Edit"), begin, { "aria-label": t("Edit {id}", chunk) });
  item.replaceChildren(...contents(chunk), edit);
  return edit;
}

function contents(chunk) {
  return [
    textOf(chunk.text),
    element("p", { class: "faint", dir: "auto" }, `${chunk.id} ${JSON.stringify(chunk.metadata)}`),
  ];
}

function showForm(item, path, chunk, tag) {
  const text = element("textarea", { name: "text", rows: "6", required: true, dir: "auto" }, chunk.text);
  const metadata = element("textarea", { name: "metadata", rows: "2" }, JSON.stringify(chunk.metadata));
  const save = element("button", {}, t("Save"));
  const cancel = button(t("Cancel"), () => showChunk(item, path, chunk).focus());
  const theirs = element("div");
  const form = element(
    "form",
    {},
    field(t("Text"), text),
    field(t("Metadata, as JSON"), metadata),
    theirs,
    element("div", { class: "actions" }, save, cancel),
  );
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
      { "aria-label": t("On record now") },
      element("h3", {}, t("On record now")),
      ...contents(stored.value),
      element("p", {}, t("Save replaces it by your version; Cancel keeps it.")),
    ),
  );
  return stored;
}

function parsed(text) {
  let value;
  try {
    value = JSON.parse(text || "{}");
  } catch (error) {
    throw new Error(t("The metadata is not JSON: {reason}", { reason: error.message }));
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new Error(t("The metadata must be a JSON object."));
  return value;
}

/** Return the merge patch that makes `after` of `before`; null removes a field (RFC 7396). */
function difference(before, after) {
  const removed = Object.keys(before).filter((name) => !(name in after));
  return { ...after, ...Object.fromEntries(removed.map((name) => [name, null])) };
}
