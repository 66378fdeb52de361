// The search bench: one text under each mode, side by side, and exact search as the judge.

import { call } from "../api.js";
import { element, failure, field, select } from "../dom.js";
import { whereOf } from "../marks.js";
import { names } from "./libraries.js";

export const TITLE = "Search";

const COLUMNS = [
  ["hybrid", { mode: "hybrid" }],
  ["vector", { mode: "vector" }],
  ["vector, exact", { mode: "vector", exact: true }],
  ["lexical", { mode: "lexical" }],
];

export async function show(main, [library], signal) {
  const libraries = await names(signal);
  const results = element("div", { class: "columns", "aria-live": "polite" });
  const form = element(
    "form",
    { class: "row" },
    field("Library", select("library", libraries, library)),
    field("Text", element("input", { name: "text", required: true, type: "search" })),
    field("Hits (k)", element("input", { name: "k", type: "number", min: 1, max: 100, value: 10 })),
    field("ef", element("input", { name: "ef", type: "number", min: 1, placeholder: "by calibration" })),
    field(
      "Filter (JSON)",
      element("input", { name: "filter", placeholder: '{"field": "year", "op": "gte", "value": 2020}' }),
    ),
    element("button", { disabled: !libraries.length }, "Search"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    results.replaceChildren();
    try {
      run(results, Object.fromEntries(new FormData(form)), signal);
    } catch (error) {
      results.append(failure(error));
    }
  });
  main.append(element("h1", {}, "Search"), form, results);
  if (!libraries.length) main.append(element("p", {}, "Create a library first."));
}

/** Search in each mode; a hit of exact search that the index missed is marked. */
function run(results, form, signal) {
  const shared = { text: form.text, k: Number(form.k), include: ["text", "document"] };
  if (form.filter.trim()) shared.filter = filterOf(form.filter);
  if (form.ef) shared.parameters = { ef: Number(form.ef) };
  const path = `/libraries/${encodeURIComponent(form.library)}/search`;
  const columns = COLUMNS.map(([title, mode]) => {
    const body = { ...shared, ...mode };
    const column = element("section", {}, element("h2", {}, title));
    results.append(column);
    const response = call("POST", path, body, signal);
    response.then(
      (found) => column.append(...hitsOf(found), command(path, body)),
      (error) => signal.aborted || column.append(failure(error)),
    );
    return { column, response };
  });
  markMissed(columns[1], columns[2]);
}

function filterOf(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`The filter is not JSON: ${error.message}.`);
  }
}

function hitsOf({ hits, plan, took_ms: took }) {
  const unknown = plan.unknown_fields?.length ? `, no chunk has ${plan.unknown_fields.join(", ")}` : "";
  const matches = plan.matches == null ? "" : `, ${plan.matches} matches`;
  return [
    element("p", { class: "faint" }, `${took.toFixed(1)} ms, ${plan.index}, filter: ${plan.filter}${matches}${unknown}`),
    hits.length ? null : element("p", {}, "No hits."),
    element(
      "ol",
      { class: "hits" },
      hits.map((hit) =>
        element(
          "li",
          { "data-chunk": hit.chunk_id },
          element("p", { class: "faint" }, `${hit.score.toFixed(4)} · ${whereOf(hit.place, hit.document?.title ?? hit.chunk_id)}`),
          element("p", { class: "text", dir: "auto" }, hit.text),
        ),
      ),
    ),
  ].filter(Boolean);
}

async function markMissed(approximate, exact) {
  const [some, all] = await Promise.all([approximate.response, exact.response]).catch(() => []);
  if (!all) return;
  const ids = new Set(some.hits.map((hit) => hit.chunk_id));
  const missed = all.hits.filter((hit) => !ids.has(hit.chunk_id));
  for (const { chunk_id: id } of missed) {
    const item = exact.column.querySelector(`[data-chunk="${CSS.escape(id)}"]`);
    item?.append(element("p", { class: "failure" }, "The index missed this hit."));
  }
  exact.column.append(
    element("p", {}, `The index has ${all.hits.length - missed.length} of these ${all.hits.length} hits.`),
  );
}

/** Return the call as a curl command, for a terminal. */
function command(path, body) {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  const line = `curl ${location.origin}${path} -H 'Content-Type: application/json' -d '${quoted}'`;
  return element("details", {}, element("summary", {}, "curl"), element("pre", { tabindex: "0" }, line));
}
