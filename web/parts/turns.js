// The turns of a conversation, each with its question as asked and as understood, and its answer.

import { call } from "../api.js";
import { element } from "../dom.js";
import { moment, t } from "../text.js";
import { Chunks, showResult, understoodAs, withoutAnswer } from "./answer.js";
import { cancelButton, endOf, follow, questionParts } from "./question.js";

const NOT_FOUND = 404;

/** The list of turns, each of which reads its question once it comes near the view. */
export class Turns {
  constructor(signal) {
    this.node = element("ol", { class: "turns", "aria-label": t("Turns") });
    this.signal = signal;
    this.shown = new Map();
    this.near = new IntersectionObserver((entries) => this.read(entries), { rootMargin: "100%" });
    signal.addEventListener("abort", () => this.near.disconnect());
  }

  /** Show the turns that are not shown yet, and read those again that could not be read. */
  show(turns) {
    for (const turn of turns) {
      const known = this.shown.get(turn.workflow_id);
      if (known && !known.hasFailed) continue;
      const each = known ?? new Turn(turn, this.signal);
      if (!known) this.node.append(each.node);
      this.shown.set(turn.workflow_id, each);
      this.near.observe(each.node);
    }
  }

  /** Scroll to the last turn. */
  showLast() {
    this.node.lastElementChild?.scrollIntoView();
  }

  read(entries) {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      this.near.unobserve(target);
      for (const turn of this.shown.values()) if (turn.node === target) turn.read();
    }
  }
}

class Turn {
  constructor(turn, signal) {
    this.turn = turn;
    this.signal = signal;
    this.hasFailed = false;
    const id = encodeURIComponent(turn.workflow_id);
    this.path = `/query/${id}`;
    this.parts = questionParts();
    if (turn.status !== "running") this.parts.answer.removeAttribute("aria-live"); // else a reload reads every turn out
    this.progress = element("div");
    this.node = element(
      "li",
      {},
      element("h2", { dir: "auto" }, turn.query),
      this.progress,
      this.parts.answer,
      element(
        "p",
        { class: "faint" },
        moment(turn.asked_at),
        " · ",
        element("a", { href: `#/ask/${id}` }, t("Stages, hits and next steps")),
      ),
    );
    this.showKept();
  }

  /** Show what the conversation itself keeps of the turn. */
  showKept() {
    const { condensed_query: condensed, status, answer, reason } = this.turn;
    const nodes = [understoodAs(condensed)];
    if (answer) nodes.push(element("p", { class: "answer", dir: "auto" }, answer));
    else if (status === "completed") nodes.push(withoutAnswer(reason));
    else if (status !== "running") nodes.push(element("p", { class: "failure" }, status));
    this.parts.answer.replaceChildren(...nodes.filter(Boolean));
  }

  /** Read the question: its answer with citations, or its events while it runs. */
  async read() {
    this.hasFailed = false;
    try {
      await this.showQuestion(await call("GET", this.path, undefined, this.signal));
    } catch (error) {
      if (this.signal.aborted) return;
      if (error.status === undefined) throw error;
      this.hasFailed = error.status !== NOT_FOUND;
      if (!this.hasFailed) this.showDeleted();
    }
  }

  async showQuestion({ library, status, result, error }) {
    const { answer, stages, review } = this.parts;
    const chunks = new Chunks(library, this.signal);
    if (status === "running") {
      this.progress.replaceChildren(stages, cancelButton(this.path), review);
      await follow(this.path, this.parts, chunks);
      this.progress.replaceChildren();
    } else if (status === "completed") {
      const isLast = !this.node.nextElementSibling; // of earlier ones the reader chooses a quote
      await showResult(answer, result, chunks, { withQuote: isLast });
    } else answer.replaceChildren(element("p", { class: "failure" }, endOf(status, error)));
  }

  showDeleted() {
    this.progress.replaceChildren();
    this.parts.answer.append(
      element("p", { class: "faint" }, t("The question has been deleted. This is what the conversation keeps of it.")),
    );
  }
}
