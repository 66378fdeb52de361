// What a question has found: its hits, the answer while it is written, and the answer with its quotes.

import { call } from "../api.js";
import { element, textOf } from "../dom.js";
import { number, t } from "../text.js";
import { marked, whereOf } from "./marks.js";
import { pageOf } from "./page.js";

const REASONS = {
  nothing_relevant: t("The library has nothing relevant to the question."),
  deadline: t("The deadline passed before there was an answer."),
  not_asked: t("Only hits were asked for."),
};

/** The chunks of a library by id, each read once; null if a chunk is gone. */
export class Chunks {
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

/** Show the hits in their order, with their texts. */
export async function showHits(section, hits, chunks) {
  section.replaceChildren(await hitList(hits, chunks));
}

/** Return the list of hits with their texts; `extra` makes what follows the text of a hit. */
export async function hitList(hits, chunks, extra = () => null) {
  const read = await Promise.all(hits.map((hit) => chunks.get(hit.chunk_id)));
  const items = hits.map((hit, rank) =>
    element(
      "li",
      { "data-chunk": hit.chunk_id },
      element("p", { class: "faint" }, whereOf(read[rank]?.place, hit.document_id)),
      textOf(read[rank]?.text ?? t("This chunk has been deleted.")),
      extra(hit),
    ),
  );
  return element("ol", { class: "hits" }, items);
}

/** Show a piece of the answer that is being written; readers of the screen hear the whole one alone. */
export function showToken(section, text) {
  if (!section.hasAttribute("aria-busy")) {
    section.setAttribute("aria-busy", "true");
    section.replaceChildren(element("p", { class: "answer", dir: "auto" }));
  }
  section.querySelector(".answer").append(text);
}

/** Drop the pieces of an answer that is begun again. */
export function dropTokens(section) {
  section.removeAttribute("aria-busy");
  section.replaceChildren();
}

/** Return what was searched for in the place of a follow-up, if it was one. */
export function understoodAs(query) {
  return query && element("p", { class: "understood" }, t("Understood as:"), " ", element("bdi", {}, query));
}

/** Return why there is no answer. */
export function withoutAnswer(reason) {
  return element("p", { class: "answer" }, REASONS[reason] ?? t("There is no answer."));
}

/** Show the answer with its quotes marked, the first one in its chunk, or why there is no answer. */
export async function showResult(section, result, chunks, { withQuote = true } = {}) {
  section.removeAttribute("aria-busy");
  section.replaceChildren(...[understoodAs(result.condensed_query)].filter(Boolean));
  if (result.answer === null) section.append(withoutAnswer(result.reason));
  else {
    const quote = element("blockquote", { tabindex: "0" });
    const spans = result.citations.map((citation, number) => ({
      start: citation.start,
      end: citation.end,
      attributes: {
        tabindex: "0",
        role: "button",
        title: whereOf(citation.place, citation.document_id),
        "data-citation": String(number),
        onclick: () => showQuote(quote, citation, chunks),
        onkeydown: (event) => {
          if (event.key !== "Enter" && event.key !== " ") return;
          event.preventDefault(); // the space would scroll
          showQuote(quote, citation, chunks);
        },
      },
    }));
    section.append(
      element("p", { class: "answer", dir: "auto" }, ...marked(result.answer, spans)),
      element("p", { class: "faint" }, `${result.provider}, ${result.model}, ${number(result.timings_ms.total ?? 0)} ms`),
      quote,
    );
    if (withQuote && result.citations.length) await showQuote(quote, result.citations[0], chunks);
    quote.setAttribute("aria-live", "polite"); // from the reader's own choice on
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
