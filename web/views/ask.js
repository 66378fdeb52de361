// Questions: ask one, and follow it by its id, which a reload or another tab does as well.

import { call, events } from "../api.js";
import { button, element, failure, field, onSubmit, select, table, textOf } from "../dom.js";
import { marked, whereOf } from "../parts/marks.js";
import { pageOf } from "../parts/page.js";
import { libraryPicker } from "../parts/picker.js";
import { number, t } from "../text.js";

export const TITLE = t("Ask");

const MODES = [["hybrid", "hybrid"], ["vector", "vector"], ["lexical", "lexical"]];
const REASONS = {
  nothing_relevant: t("The library has nothing relevant to the question."),
  deadline: t("The deadline passed before there was an answer."),
  not_asked: t("Only hits were asked for."),
};

export async function show(main, [first, second], signal) {
  if (first && first !== "in") await showQuestion(main, first, signal);
  else await showForm(main, second, signal);
}

async function showForm(main, library, signal) {
  const picker = await libraryPicker(library, signal);
  const form = element(
    "form",
    {},
    picker.node,
    field(t("Question"), element("textarea", { name: "query", required: true, rows: 3, maxlength: 10000, dir: "auto" })),
    field(t("Search"), select("mode", MODES)),
    element("button", { disabled: picker.isEmpty }, t("Ask")),
  );
  onSubmit(form, async (body) => {
    const { workflow_id: id } = await call("POST", "/query", body);
    location.hash = `#/ask/${encodeURIComponent(id)}`;
  });
  main.append(element("h1", {}, t("Ask")), form);
  if (picker.isEmpty) main.append(element("p", {}, t("Create a library first.")));
  await showRecent(main, signal);
}

async function showRecent(main, signal) {
  const { items } = await call("GET", "/query?limit=20", undefined, signal);
  if (!items.length) return;
  const rows = items.map((each) => [
    element("a", { href: `#/ask/${encodeURIComponent(each.workflow_id)}`, dir: "auto" }, each.query ?? each.workflow_id),
    each.status,
    each.started_at ?? "–",
  ]);
  main.append(table(t("Recent questions"), [t("Question"), t("Status"), t("Asked at")], rows));
}

async function showQuestion(main, id, signal) {
  const path = `/query/${encodeURIComponent(id)}`;
  const question = await call("GET", path, undefined, signal);
  const parts = {
    stages: element("ol", { class: "stages", "aria-live": "polite", "aria-label": t("Stages") }),
    answer: element("section", { "aria-live": "polite" }),
    hits: element("section", {}),
  };
  const cancel = button(t("Cancel"), () =>
    call("POST", `${path}/cancel`).catch((error) => main.append(failure(error))),
  );
  main.append(
    element("h1", { dir: "auto" }, question.query ?? id),
    parts.stages,
    cancel,
    parts.answer,
    parts.hits,
  );
  const chunks = new Chunks(question.library, signal);
  for await (const { event, data } of events(`${path}/events`, signal)) {
    if (event === "stage") showStage(parts.stages, data);
    else if (event === "hits") await showHits(parts.hits, data.hits, chunks);
    else if (event === "result") await showResult(parts.answer, data, chunks);
    else if (event === "error") {
      parts.answer.append(failure(new Error(`${data.status}: ${data.detail ?? t("no reason is known")}`)));
    }
  }
  cancel.remove();
}

/** The chunks of a library by id, each read once; null if a chunk is gone. */
class Chunks {
  constructor(library, signal) {
    this.library = library;
    this.signal = signal;
    this.read = new Map();
  }

  get(id) {
    if (!this.read.has(id)) {
      const path = `/libraries/${encodeURIComponent(this.library)}/chunks/${encodeURIComponent(id)}`;
      this.read.set(id, call("GET", path, undefined, this.signal).catch(() => null));
    }
    return this.read.get(id);
  }
}

function showStage(list, stage) {
  const tried = stage.attempt > 1 ? `, ${t("attempt {attempt}", stage)}` : "";
  const item = element(
    "li",
    { "data-stage": stage.name, class: stage.status },
    `${stage.name}: ${stage.status}${tried}`,
    stage.last_failure && element("span", { class: "failure" }, ` ${stage.last_failure}`),
  );
  const before = list.querySelector(`[data-stage="${CSS.escape(stage.name)}"]`);
  if (before) before.replaceWith(item);
  else list.append(item);
}

async function showHits(section, hits, chunks) {
  const texts = await Promise.all(hits.map((hit) => chunks.get(hit.chunk_id)));
  section.replaceChildren(
    element("h2", {}, t("Hits")),
    element(
      "ol",
      { class: "hits" },
      hits.map((hit, rank) =>
        element(
          "li",
          { "data-chunk": hit.chunk_id },
          element("p", { class: "faint" }, whereOf(texts[rank]?.place, hit.document_id)),
          textOf(texts[rank]?.text ?? t("This chunk has been deleted.")),
        ),
      ),
    ),
  );
}

async function showResult(section, result, chunks) {
  section.replaceChildren(element("h2", {}, t("Answer")));
  if (result.answer === null) {
    section.append(element("p", { class: "answer" }, REASONS[result.reason] ?? t("There is no answer.")));
  } else {
    const quote = element("blockquote", { tabindex: "0", "aria-live": "polite" });
    const spans = result.citations.map((citation, number) => ({
      start: citation.start,
      end: citation.end,
      attributes: {
        tabindex: "0",
        role: "button",
        title: whereOf(citation.place, citation.document_id),
        "data-citation": String(number),
        onclick: () => showQuote(quote, citation, chunks),
        onkeydown: (event) => event.key === "Enter" && showQuote(quote, citation, chunks),
      },
    }));
    section.append(
      element("p", { class: "answer", dir: "auto" }, ...marked(result.answer, spans)),
      element("p", { class: "faint" }, `${result.provider}, ${result.model}, ${number(result.timings_ms.total ?? 0)} ms`),
      quote,
    );
    if (result.citations.length) await showQuote(quote, result.citations[0], chunks);
  }
  for (const code of result.degraded) {
    section.append(element("p", { class: "failure" }, `${code}: ${result.degraded_because?.[code] ?? ""}`));
  }
}

/** Show the chunk that a citation is from, with its quote marked. */
async function showQuote(node, citation, chunks) {
  const chunk = await chunks.get(citation.chunk_id);
  const holds = chunk && Array.from(chunk.text).slice(citation.quote_start, citation.quote_end).join("") === citation.quote;
  const picture = element("div");
  pageOf(chunks.library, citation.document_id, citation.place, chunks.signal).then(
    (page) => page && picture.append(page),
    () => {}, // the document is gone, or the view
  );
  node.replaceChildren(
    element("p", { class: "faint" }, whereOf(citation.place, citation.document_id)),
    element(
      "p",
      { class: "text", dir: "auto" },
      ...(holds
        ? marked(chunk.text, [{ start: citation.quote_start, end: citation.quote_end }])
        : [citation.quote, ` ${t("(The chunk has changed since.)")}`]),
    ),
    picture,
  );
}
