// The search bench: one text under each mode, side by side, and exact search as the judge.

import { call } from "../api.js";
import { element, failure, field, onSubmit, textOf } from "../dom.js";
import { commands, searchWithSdk } from "../parts/commands.js";
import { whereOf } from "../parts/marks.js";
import { MODES, searchParameters, searchPath } from "../parts/searching.js";
import { number, t } from "../text.js";

export const TITLE = t("Search");

export async function show(main, [library], signal) {
  const parameters = await searchParameters(library, signal);
  const results = element("div", { class: "columns", "aria-live": "polite" });
  const form = element(
    "form",
    {},
    field(t("Text"), element("input", { name: "text", required: true, type: "search", dir: "auto" })),
    parameters.nodes,
    element("button", { disabled: parameters.picker.isEmpty }, t("Search")),
  );
  onSubmit(form, ({ text }) => {
    results.replaceChildren();
    run(results, parameters.picker.control.value, (mode) => ({ text, ...parameters.body(mode) }), signal);
  });
  main.append(
    element("h1", {}, t("Search")),
    element("p", {}, element("a", { href: `#/batch${library ? `/${encodeURIComponent(library)}` : ""}` }, t("Many queries from a file"))),
    form,
    results,
  );
  if (parameters.picker.isEmpty) main.append(element("p", {}, t("Create a library first.")));
}

/** Search in each mode; a hit of exact search that the index missed is marked. */
function run(results, library, bodyOf, signal) {
  const requests = MODES.map(([title, mode]) => [title, { ...bodyOf(mode.mode), ...mode, include: ["text", "document"] }]);
  const columns = requests.map(([title, body]) => {
    const column = element("section", {}, element("h2", {}, title));
    results.append(column);
    const response = call("POST", searchPath(library), body, signal);
    response.then(
      (found) => column.append(...hitsOf(found), commands(searchPath(library), body, searchWithSdk(library, body))),
      (error) => signal.aborted || column.append(failure(error)),
    );
    return { column, response };
  });
  markMissed(columns[1], columns[2]);
}

function hitsOf({ hits, plan, took_ms: took }) {
  return [
    element("p", { class: "faint" }, planOf(plan, took)),
    hits.length ? null : element("p", {}, t("No hits.")),
    element(
      "ol",
      { class: "hits" },
      hits.map((hit) =>
        element(
          "li",
          { "data-chunk": hit.chunk_id },
          element("p", { class: "faint", dir: "auto" }, `${number(hit.score, 4)} · ${whereOf(hit.place, hit.document?.title ?? hit.chunk_id)}`),
          textOf(hit.text),
        ),
      ),
    ),
  ].filter(Boolean);
}

function planOf(plan, took) {
  const parts = [t("{ms} ms, {index}, filter: {filter}", { ms: number(took, 1), index: plan.index, filter: plan.filter })];
  if (plan.matches != null) parts.push(t("{matches} matches", { matches: number(plan.matches) }));
  if (plan.unknown_fields?.length) parts.push(t("no chunk has {fields}", { fields: plan.unknown_fields.join(", ") }));
  return parts.join(", ");
}

async function markMissed(approximate, exact) {
  const [some, all] = await Promise.all([approximate.response, exact.response]).catch(() => []);
  if (!all) return;
  const ids = new Set(some.hits.map((hit) => hit.chunk_id));
  const missed = all.hits.filter((hit) => !ids.has(hit.chunk_id));
  for (const { chunk_id: id } of missed) {
    const item = exact.column.querySelector(`[data-chunk="${CSS.escape(id)}"]`);
    item?.append(element("p", { class: "failure" }, t("The index missed this hit.")));
  }
  const counts = { found: all.hits.length - missed.length, all: all.hits.length };
  exact.column.append(element("p", {}, t("The index has {found} of these {all} hits.", counts)));
}
