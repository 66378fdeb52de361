// Questions: ask one, and follow it by its id, which a reload or another tab does as well.

import { call, events } from "../api.js";
import { element, failure, field, select, table } from "../dom.js";
import { marked, whereOf } from "../marks.js";
import { names } from "./libraries.js";

export const TITLE = "Ask";

const MODES = [["hybrid", "hybrid"], ["vector", "vector"], ["lexical", "lexical"]];
const REASONS = {
  nothing_relevant: "The library has nothing relevant to the question.",
  deadline: "The deadline passed before there was an answer.",
  not_asked: "Only hits were asked for.",
};

export async function show(main, [first, second], signal) {
  if (first && first !== "in") await showQuestion(main, first, signal);
  else await showForm(main, second, signal);
}

async function showForm(main, library, signal) {
  const libraries = await names(signal);
  const form = element(
    "form",
    {},
    field("Library", select("library", libraries, library)),
    field("Question", element("textarea", { name: "query", required: true, rows: 3, maxlength: 10000 })),
    field("Search", select("mode", MODES)),
    element("button", { disabled: !libraries.length }, "Ask"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector(".failure")?.remove();
    try {
      const { workflow_id: id } = await call("POST", "/query", Object.fromEntries(new FormData(form)));
      location.hash = `#/ask/${encodeURIComponent(id)}`;
    } catch (error) {
      form.append(failure(error));
    }
  });
  main.append(element("h1", {}, "Ask"), form);
  if (!libraries.length) main.append(element("p", {}, "Create a library first."));
  await showRecent(main, signal);
}

async function showRecent(main, signal) {
  const { items } = await call("GET", "/query?limit=20", undefined, signal);
  if (!items.length) return;
  const rows = items.map((each) => [
    element("a", { href: `#/ask/${encodeURIComponent(each.workflow_id)}` }, each.query ?? each.workflow_id),
    each.status,
    each.started_at ?? "–",
  ]);
  main.append(table("Recent questions", ["Question", "Status", "Asked at"], rows));
}

async function showQuestion(main, id, signal) {
  const path = `/query/${encodeURIComponent(id)}`;
  const question = await call("GET", path, undefined, signal);
  const parts = {
    stages: element("ol", { class: "stages", "aria-live": "polite", "aria-label": "Stages" }),
    answer: element("section", { "aria-live": "polite" }),
    hits: element("section", {}),
  };
  const cancel = element("button", { type: "button" }, "Cancel");
  cancel.addEventListener("click", () =>
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
      parts.answer.append(failure(new Error(`${data.status}: ${data.detail ?? "no reason is known"}`)));
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
  const tried = stage.attempt > 1 ? `, attempt ${stage.attempt}` : "";
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
    element("h2", {}, "Hits"),
    element(
      "ol",
      { class: "hits" },
      hits.map((hit, rank) =>
        element(
          "li",
          { "data-chunk": hit.chunk_id },
          element("p", { class: "faint" }, whereOf(texts[rank]?.place, hit.document_id)),
          element("p", { class: "text", dir: "auto" }, texts[rank]?.text ?? "This chunk has been deleted."),
        ),
      ),
    ),
  );
}

async function showResult(section, result, chunks) {
  section.replaceChildren(element("h2", {}, "Answer"));
  if (result.answer === null) {
    section.append(element("p", { class: "answer" }, REASONS[result.reason] ?? "There is no answer."));
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
      element("p", { class: "faint" }, `${result.provider}, ${result.model}, ${result.timings_ms.total?.toFixed(0)} ms`),
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
  node.replaceChildren(
    element("p", { class: "faint" }, whereOf(citation.place, citation.document_id)),
    element(
      "p",
      { class: "text", dir: "auto" },
      ...(holds
        ? marked(chunk.text, [{ start: citation.quote_start, end: citation.quote_end }])
        : [citation.quote, " (The chunk has changed since.)"]),
    ),
  );
}
