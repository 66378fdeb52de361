// A question: its form; and while it runs its stages, its review and its answer, by the events of its stream.

import { call, events, newKey } from "../api.js";
import { button, element, failure, field, newId, onSubmit, select } from "../dom.js";
import { t } from "../text.js";
import { dropTokens, showHits, showResult, showToken } from "./answer.js";
import { showReview } from "./review.js";

const MODES = [["hybrid", "hybrid"], ["vector", "vector"], ["lexical", "lexical"]];

/**
 * Return the form of a question, which is asked once however often it is sent.
 *
 * `ask(question, key)` sends what `POST /query` takes, under a key that the question keeps until it is taken.
 * `before` and `after` are what the form has before and after the question's own fields.
 */
export function questionForm(ask, { before, after, disabled = false } = {}) {
  const query = element("textarea", { name: "query", required: true, rows: 3, maxlength: 10000, dir: "auto" });
  const review = checkbox(t("Let me review the hits before the answer"));
  const form = element(
    "form",
    {},
    before,
    field(t("Question"), query),
    field(t("Search"), select("mode", MODES)),
    review.node,
    after,
    element("button", { disabled }, t("Ask")),
  );
  let key = newKey();
  form.addEventListener("input", () => (key = newKey()));
  onSubmit(form, async (fields) => {
    await ask({ ...fields, review: review.box.checked }, key);
    key = newKey();
    if (query.value === fields.query) query.value = "";
  });
  return form;
}

/** Return a labelled checkbox, as {node, box}. */
export function checkbox(label) {
  const box = element("input", { type: "checkbox", id: newId() });
  return { node: element("div", { class: "choice" }, box, element("label", { for: box.id }, label)), box };
}

/** Return the elements of a question that runs, which `follow` fills: its stages, its review and its answer. */
export function questionParts() {
  return {
    stages: element("ol", { class: "stages", "aria-live": "polite", "aria-label": t("Stages") }),
    review: element("section"),
    answer: element("section", { "aria-live": "polite" }),
  };
}

/** Return a button that cancels the question. */
export function cancelButton(path) {
  const cancel = button(t("Cancel"), () =>
    call("POST", `${path}/cancel`).catch((error) => cancel.after(failure(error))),
  );
  return cancel;
}

/** Fill the parts by the events of a question until its last one; hits are shown if `parts` has a section for them. */
export async function follow(path, parts, chunks) {
  for await (const { event, data } of events(`${path}/events`, chunks.signal)) {
    if (event === "stage") {
      showStage(parts.stages, data);
      if (data.name === "answer") parts.review.replaceChildren();
    } else if (event === "hits") await show(parts.hits, data.hits, chunks);
    else if (event === "review") await showAwaited(path, parts, chunks);
    else if (event === "token") showToken(parts.answer, data.text);
    else if (event === "retry") dropTokens(parts.answer);
    else if (event === "result") {
      await showResult(parts.answer, data, chunks);
      await show(parts.hits, data.hits, chunks);
    } else if (event === "error") {
      parts.review.replaceChildren();
      parts.answer.append(failure(new Error(endOf(data.status, data.detail))));
    }
  }
}

/** Return how a question without a result has ended. */
export function endOf(status, detail) {
  return `${status}: ${detail ?? t("no reason is known")}`;
}

async function show(section, hits, chunks) {
  if (section) await showHits(section, hits, chunks);
}

/** Show the review that the question waits for; a stream that begins anew repeats past ones. */
async function showAwaited(path, { review, hits }, chunks) {
  const { waiting_for: awaited, reviews } = await call("GET", path, undefined, chunks.signal);
  if (awaited !== "review") return;
  await showReview(review, path, reviews.at(-1), chunks);
  hits?.replaceChildren(); // the form has them
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
