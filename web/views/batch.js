// Many queries from a file under each mode, and how far the modes' hits overlap.

import { call } from "../api.js";
import { element, field, onSubmit, table } from "../dom.js";
import { MODES, searchParameters, searchPath } from "../parts/searching.js";
import { number, t } from "../text.js";

export const TITLE = t("Many queries");

const QUERIES_AT_ONCE = 25;
const MAX_QUERIES = 1000;
const MAX_SHOWN = 100;

export async function show(main, [library], signal) {
  const parameters = await searchParameters(library, signal);
  const file = element("input", { type: "file", name: "file", required: true, accept: ".txt,.jsonl,.csv" });
  const results = element("section", { "aria-live": "polite" });
  const form = element(
    "form",
    {},
    field(t("A file with a query on each line, or JSON Lines with query, question or text"), file),
    parameters.nodes,
    element("button", { disabled: parameters.picker.isEmpty }, t("Search")),
  );
  onSubmit(form, async () => {
    const queries = queriesOf(await file.files[0].text());
    results.replaceChildren(element("progress", { max: queries.length, value: 0, "aria-label": t("Queries") }));
    const found = await searchAll(parameters, queries, results.firstChild, signal);
    results.replaceChildren(overlaps(found), eachOf(found));
  });
  main.append(element("h1", {}, t("Many queries")), form, results);
  if (parameters.picker.isEmpty) main.append(element("p", {}, t("Create a library first.")));
}

function queriesOf(text) {
  const lines = text.split(/\r?\n/).map((line, index) => [line.trim(), index + 1]);
  const queries = lines.filter(([line]) => line).map(queryOf);
  if (!queries.length) throw new Error(t("The file has no query."));
  if (queries.length > MAX_QUERIES) {
    const counts = { count: number(queries.length), most: number(MAX_QUERIES) };
    throw new Error(t("The file has {count} queries; at most {most} are run at once.", counts));
  }
  return queries;
}

function queryOf([line, at]) {
  if (!line.startsWith("{")) return line;
  let query;
  try {
    ({ query, question: query = query, text: query = query } = JSON.parse(line));
  } catch {
    query = undefined;
  }
  if (typeof query !== "string") throw new Error(t("Line {line} is no JSON object with a query.", { line: number(at) }));
  return query;
}

/** Return each query with the ids of its hits under each mode. */
async function searchAll({ picker, body }, queries, progress, signal) {
  const found = [];
  const path = `${searchPath(picker.control.value)}/batch`;
  for (let start = 0; start < queries.length; start += QUERIES_AT_ONCE) {
    const part = queries.slice(start, start + QUERIES_AT_ONCE);
    const searches = part.flatMap((text) => MODES.map(([, mode]) => ({ text, ...body(mode.mode), ...mode, include: [] })));
    const { results } = await call("POST", path, { searches }, signal);
    part.forEach((query, at) => {
      const own = results.slice(at * MODES.length, (at + 1) * MODES.length);
      found.push({ query, hits: own.map(({ hits }) => hits.map((hit) => hit.chunk_id)) });
    });
    progress.value = found.length;
  }
  return found;
}

/** Return the table of the mean share of hits that two modes have in common. */
function overlaps(found) {
  const rows = MODES.map(([title], one) => [
    title,
    ...MODES.map((_, other) => share(mean(found.map(({ hits }) => overlap(hits[one], hits[other]))))),
  ]);
  const caption = t("Hits that two modes have in common, mean of {count} queries", { count: number(found.length) });
  return table(caption, [t("Mode"), ...MODES.map(([title]) => title)], rows);
}

function eachOf(found) {
  const rows = found
    .map(({ query, hits: [hybrid, vector, exact, lexical] }) => ({
      query, recall: overlap(vector, exact), agreement: overlap(vector, lexical), kept: overlap(hybrid, exact),
    }))
    .sort((a, b) => a.recall - b.recall || a.agreement - b.agreement)
    .slice(0, MAX_SHOWN)
    .map(({ query, recall, agreement, kept }) => [element("bdi", {}, query), share(recall), share(agreement), share(kept)]);
  const head = [t("Query"), t("vector and exact"), t("vector and lexical"), t("hybrid and exact")];
  return table(t("Queries, the least overlap first"), head, rows);
}

function overlap(one, other) {
  const ids = new Set(one);
  const most = Math.max(one.length, other.length);
  return most ? other.filter((id) => ids.has(id)).length / most : 1;
}

function mean(values) {
  return values.reduce((sum, each) => sum + each, 0) / values.length;
}

function share(value) {
  return `${number(value * 100)} %`;
}
