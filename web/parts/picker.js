// The choice of a library: a list, or a field for its name where there are too many for a list.

import { call } from "../api.js";
import { element, field, newId, select } from "../dom.js";
import { t } from "../text.js";

const MAX_LISTED = 1000;

/**
 * Return the field of a library, its control, and whether there is no library.
 *
 * `chosen` is a name or an id; throws a Problem if no library has it, so that none is taken in its place.
 */
export async function libraryPicker(chosen, signal) {
  const { items, next_cursor: more } = await call("GET", `/libraries?limit=${MAX_LISTED}`, undefined, signal);
  const listed = items.find(({ id, name }) => chosen === id || chosen === name);
  const library = listed ?? (chosen && (await call("GET", `/libraries/${encodeURIComponent(chosen)}`, undefined, signal)));
  const id = library && library.id;
  const control = more ? typed(items, id) : select("library", items.map((each) => [each.id, each.name]), id);
  return { node: field(t("Library"), control), control, isEmpty: !items.length };
}

function typed(items, chosen) {
  const list = element("datalist", { id: newId() }, items.map(({ name }) => element("option", { value: name })));
  document.getElementById("main").append(list);
  return element("input", {
    name: "library", required: true, list: list.id, value: chosen, autocomplete: "off", placeholder: t("A name or an id"),
  });
}
