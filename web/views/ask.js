// Questions: ask one, and follow it by its id, which a reload or another tab does as well.

import { call, events } from "../api.js";
import { button, element, failure, field, newId, onSubmit, select, table } from "../dom.js";
import { Chunks, dropTokens, showHits, showResult, showToken } from "../parts/answer.js";
import { libraryPicker } from "../parts/picker.js";
import { rerunForm, showDifference } from "../parts/rerun.js";
import { showReview } from "../parts/review.js";
import { t } from "../text.js";

export const TITLE = t("Ask");

const MODES = [["hybrid", "hybrid"], ["vector", "vector"], ["lexical", "lexical"]];
export async function show(main, [first, second, third], signal) {
  if (first && first !== "in") await showQuestion(main, first, second === "after" ? third : null, signal);
  else await showForm(main, second, signal);
}

async function showForm(main, library, signal) {
  const picker = await libraryPicker(library, signal);
  const review = element("input", { type: "checkbox", id: newId(), name: "review" });
  const form = element(
    "form",
    {},
    picker.node,
    field(t("Question"), element("textarea", { name: "query", required: true, rows: 3, maxlength: 10000, dir: "auto" })),
    field(t("Search"), select("mode", MODES)),
    element("div", { class: "choice" }, review, element("label", { for: review.id }, t("Let me review the hits before the answer"))),
    element("button", { disabled: picker.isEmpty }, t("Ask")),
  );
  onSubmit(form, async (body) => {
    const { workflow_id: id } = await call("POST", "/query", { ...body, review: review.checked });
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

async function showQuestion(main, id, earlier, signal) {
  const path = `/query/${encodeURIComponent(id)}`;
  const question = await call("GET", path, undefined, signal);
  const parts = {
    stages: element("ol", { class: "stages", "aria-live": "polite", "aria-label": t("Stages") }),
    review: element("section", {}),
    answer: element("section", { "aria-live": "polite" }),
    difference: element("section", {}),
    hits: element("section", {}),
  };
  const cancel = button(t("Cancel"), () =>
    call("POST", `${path}/cancel`).catch((error) => main.append(failure(error))),
  );
  main.append(element("h1", { dir: "auto" }, question.query ?? id), parts.stages, cancel, ...Object.values(parts).slice(1));
  const chunks = new Chunks(question.library, signal);
  for await (const event of events(`${path}/events`, signal)) await showEvent(parts, event, path, chunks);
  cancel.remove();
  main.append(element("h2", {}, t("Next steps")), rerunForm(id), deletion(path));
  if (earlier) await showDifference(parts.difference, id, earlier, chunks);
}

async function showEvent(parts, { event, data }, path, chunks) {
  if (event === "stage") {
    showStage(parts.stages, data);
    if (data.name === "answer") parts.review.replaceChildren();
  } else if (event === "hits") await showHits(parts.hits, data.hits, chunks);
  else if (event === "review") await showAwaited(parts, path, chunks);
  else if (event === "token") showToken(parts.answer, data.text);
  else if (event === "retry") dropTokens(parts.answer);
  else if (event === "result") {
    await showResult(parts.answer, data, chunks);
    await showHits(parts.hits, data.hits, chunks);
  } else if (event === "error") {
    parts.review.replaceChildren();
    parts.answer.append(failure(new Error(`${data.status}: ${data.detail ?? t("no reason is known")}`)));
  }
}

/** Show the review that the question waits for; a stream that begins anew repeats past ones. */
async function showAwaited(parts, path, chunks) {
  const { waiting_for: awaited, reviews } = await call("GET", path, undefined, chunks.signal);
  if (awaited !== "review") return;
  await showReview(parts.review, path, reviews.at(-1), chunks);
  parts.hits.replaceChildren(); // the form has them
}

function deletion(path) {
  const remove = async () => {
    try {
      await call("DELETE", path);
      location.hash = "#/ask";
    } catch (error) {
      details.append(failure(error));
    }
  };
  const details = element(
    "details",
    {},
    element("summary", {}, t("Delete the question")),
    element("p", {}, t("Its history, its answer and its feedback are deleted for good.")),
    button(t("Delete"), remove),
  );
  return details;
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
