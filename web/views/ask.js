// Questions: ask one, and follow it by its id, which a reload or another tab does as well.

import { call, post } from "../api.js";
import { element, table } from "../dom.js";
import { Chunks } from "../parts/answer.js";
import { deletion } from "../parts/deletion.js";
import { libraryPicker } from "../parts/picker.js";
import { cancelButton, checkbox, follow, questionForm, questionParts } from "../parts/question.js";
import { rerunForm, showDifference } from "../parts/rerun.js";
import { moment, t } from "../text.js";
import { showConversation } from "./conversation.js";

export const TITLE = t("Ask");

export async function show(main, [first, second, third], signal) {
  if (first === "conversation") await showConversation(main, second, signal);
  else if (first && first !== "in") await showQuestion(main, first, second === "after" ? third : null, signal);
  else await showForm(main, second, signal);
}

async function showForm(main, library, signal) {
  const picker = await libraryPicker(library, signal);
  const conversation = checkbox(t("Begin a conversation, for follow-ups such as “and for trains?”"));
  const form = questionForm(
    async (question, key) => {
      const address = await (conversation.box.checked ? begin : ask)(question, key);
      if (!signal.aborted) location.hash = address; // else the reader has gone on to another view
    },
    { before: picker.node, after: conversation.node, disabled: picker.isEmpty },
  );
  main.append(element("h1", {}, t("Ask")), form);
  if (picker.isEmpty) main.append(element("p", {}, t("Create a library first.")));
  await showRecent(main, signal);
}

/** Ask a question; return its address. */
async function ask(question, key) {
  const { workflow_id: id } = await post("/query", question, key);
  return `#/ask/${encodeURIComponent(id)}`;
}

/** Ask a question as the first turn of a conversation; return the address of the conversation. */
async function begin(question, key) {
  const { id } = await post("/conversations", { library: question.library }, key);
  await post("/query", { ...question, conversation_id: id }, key);
  return `#/ask/conversation/${encodeURIComponent(id)}`;
}

async function showRecent(main, signal) {
  const { items } = await call("GET", "/query?limit=20", undefined, signal);
  if (!items.length) return;
  const rows = items.map((each) => [
    element("a", { href: `#/ask/${encodeURIComponent(each.workflow_id)}`, dir: "auto" }, each.query ?? each.workflow_id),
    each.status,
    moment(each.started_at),
  ]);
  main.append(table(t("Recent questions"), [t("Question"), t("Status"), t("Asked at")], rows));
}

async function showQuestion(main, id, earlier, signal) {
  const path = `/query/${encodeURIComponent(id)}`;
  const question = await call("GET", path, undefined, signal);
  const parts = { ...questionParts(), difference: element("section"), hits: element("section") };
  const cancel = cancelButton(path);
  main.append(
    element("h1", { dir: "auto" }, question.query ?? id),
    ...linkToConversation(question),
    parts.stages,
    cancel,
    parts.review,
    element("h2", {}, t("Answer")), // a heading is shown once its section has something
    parts.answer,
    parts.difference,
    element("h2", {}, t("Hits")),
    parts.hits,
  );
  const chunks = new Chunks(question.library, signal);
  await follow(path, parts, chunks);
  cancel.remove();
  main.append(element("h2", {}, t("Next steps")), rerunForm(id), deletionOf(path));
  if (earlier) await showDifference(parts.difference, id, earlier, chunks);
}

function linkToConversation({ conversation_id: id }) {
  if (!id) return [];
  return [element("p", {}, element("a", { href: `#/ask/conversation/${encodeURIComponent(id)}` }, t("← The conversation")))];
}

function deletionOf(path) {
  return deletion(path, {
    summary: t("Delete the question"),
    text: t("Its history, its answer and its feedback are deleted for good."),
    label: t("Delete"),
    next: "#/ask",
  });
}
