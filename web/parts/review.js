// The review of a question: which hits to answer from, and whether to answer at all.

import { call } from "../api.js";
import { button, element, failure, field, newId } from "../dom.js";
import { moment, t } from "../text.js";
import { hitList } from "./answer.js";

/** Show the form of an awaited review; it goes away once the review has been taken. */
export async function showReview(section, path, request, chunks) {
  const offered = await hitList(request.hits, chunks, (hit) => [
    choice("drop", hit, t("Leave out")),
    choice("pin", hit, t("Answer from it first")),
  ]);
  const others = element("details", {}, element("summary", {}, t("Other candidates ({count})", { count: request.candidates.length })));
  others.addEventListener(
    "toggle",
    async () => others.append(await hitList(request.candidates, chunks, (hit) => choice("pin", hit, t("Answer from it first")))),
    { once: true },
  );
  const form = element(
    "form",
    { "aria-label": t("Review") },
    element("p", {}, t("The question “{query}” waits for a review until {until}.", { query: request.query, until: moment(request.until) })),
    offered,
    request.candidates.length > 0 && others,
    field(t("Search for another question instead"), element("input", { name: "query", maxlength: 10000, dir: "auto" })),
    element(
      "div",
      { class: "actions" },
      button(t("Approve"), () => send("approve")),
      button(t("Reject"), () => send("reject")),
    ),
    element("p", { class: "faint" }, t("Reject ends the question; with another question, what is found for it is reviewed again.")),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  section.replaceChildren(element("h2", {}, t("Review")), form);

  async function send(decision) {
    const data = new FormData(form);
    const query = data.get("query").trim();
    const body = { decision, drop: data.getAll("drop"), pin: data.getAll("pin"), ...(query && { query }) };
    form.querySelector(":scope > .failure")?.remove();
    try {
      await call("POST", `${path}/review`, body);
      section.replaceChildren();
    } catch (error) {
      form.append(failure(error));
    }
  }
}

function choice(name, hit, label) {
  const id = newId();
  const box = element("input", { type: "checkbox", id, name, value: hit.chunk_id });
  return element("span", { class: "choice" }, box, element("label", { for: id }, label));
}
