// A finished question again from a stage on, and what is different from before.

import { call } from "../api.js";
import { element, field, onSubmit, select } from "../dom.js";
import { t } from "../text.js";
import { hitList } from "./answer.js";

/** Return the form that asks a finished question again. */
export function rerunForm(id) {
  const from = select("from", [["retrieve", t("the search")], ["rerank", t("the ranking")], ["answer", t("the answer")]]);
  const k = numberField("k", 1000);
  const topN = numberField("top_n", 100);
  const mode = select("mode", [["", t("as before")], ["hybrid", "hybrid"], ["vector", "vector"], ["lexical", "lexical"]]);
  const form = element(
    "form",
    {},
    field(t("From"), from),
    field(t("Chunks"), select("at", [["then", t("as they were")], ["now", t("as they are now")]])),
    field(t("Candidates (k)"), k),
    field(t("Hits to answer from (top_n)"), topN),
    field(t("Search"), mode),
    element("button", {}, t("Ask again")),
  );
  const allow = () => {
    k.disabled = mode.disabled = from.value !== "retrieve";
    topN.disabled = from.value === "answer";
  };
  from.addEventListener("change", allow);
  allow();
  onSubmit(form, async ({ k, top_n, mode, ...body }) => {
    if (k) body.k = Number(k);
    if (top_n) body.top_n = Number(top_n);
    if (mode) body.mode = mode;
    const { workflow_id: again } = await call("POST", `/query/${encodeURIComponent(id)}/rerun`, body);
    location.hash = `#/ask/${encodeURIComponent(again)}/after/${encodeURIComponent(id)}`;
  });
  return element("details", {}, element("summary", {}, t("Ask again from a stage on")), form);
}

/** Show how the result differs from that of an earlier question. */
export async function showDifference(section, id, earlier, chunks) {
  const path = `/query/${encodeURIComponent(earlier)}/diff/${encodeURIComponent(id)}`;
  const { hits, answer } = await call("GET", path, undefined, chunks.signal);
  const isSame = answer.before === answer.after;
  section.replaceChildren(
    element("h2", {}, t("Difference from before")),
    element("p", {}, element("a", { href: `#/ask/${encodeURIComponent(earlier)}` }, t("The question before"))),
    ...(isSame
      ? [element("p", {}, t("The answer is the same."))]
      : [
          element("h3", {}, t("Answer before")),
          element("p", { class: "answer", dir: "auto" }, answer.before ?? t("There is no answer.")),
        ]),
    ...(await list(t("Hits gained"), hits.gained, chunks)),
    ...(await list(t("Hits lost"), hits.lost, chunks)),
    ...(await list(t("Hits moved"), hits.moved, chunks, (hit) => element("p", { class: "faint" }, t("from rank {before} to {after}", hit)))),
  );
}

async function list(title, hits, chunks, extra) {
  return hits.length ? [element("h3", {}, title), await hitList(hits, chunks, extra)] : [];
}

function numberField(name, max) {
  return element("input", { name, type: "number", min: "1", max: String(max), placeholder: t("as before") });
}
