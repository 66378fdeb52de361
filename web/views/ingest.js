// Files into a library: chosen or dropped here, then followed by the ingestion's id.

import { call, events } from "../api.js";
import { button, element, failure, field, onSubmit, table } from "../dom.js";
import { libraryPicker } from "../parts/picker.js";
import { number, t } from "../text.js";

export const TITLE = t("Ingest");

const VERBS = { pause: t("pause"), resume: t("resume"), cancel: t("cancel") };
const ENDED = new Set(["completed", "failed", "cancelled"]);

export async function show(main, [first, second], signal) {
  if (first && first !== "into") await showIngestion(main, first, signal);
  else await showForm(main, second, signal);
}

async function showForm(main, library, signal) {
  const choice = await libraryPicker(library, signal);
  const picker = element("input", { type: "file", multiple: true, name: "files" });
  const folder = element("input", { type: "file", webkitdirectory: true, name: "folder" });
  const form = element(
    "form",
    { class: "drop" },
    choice.node,
    field(t("Files"), picker),
    field(t("or a folder"), folder),
    element("p", {}, t("Or drop files here.")),
    element("button", { disabled: choice.isEmpty }, t("Ingest")),
  );
  let dropped = [];
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    dropped = [...event.dataTransfer.files];
    form.requestSubmit();
  });
  onSubmit(form, async () => {
    const files = [...picker.files, ...folder.files, ...dropped];
    dropped = [];
    const id = await start(choice.control.value, files);
    location.hash = `#/ingest/${encodeURIComponent(id)}`;
  });
  main.append(element("h1", {}, t("Ingest")), form);
  if (choice.isEmpty) main.append(element("p", {}, t("Create a library first.")));
}

async function start(library, files) {
  if (!files.length) throw new Error(t("Choose files, or a folder with files."));
  const body = new FormData();
  for (const file of files) body.append("file", file, file.webkitRelativePath || file.name);
  const path = `/libraries/${encodeURIComponent(library)}/ingest`;
  return (await call("POST", path, body)).workflow_id;
}

async function showIngestion(main, id, signal) {
  const path = `/ingest/${encodeURIComponent(id)}`;
  const counts = element("div", { "aria-live": "polite" });
  const rows = element("ul", { class: "files" });
  const actions = element(
    "p",
    { class: "actions" },
    Object.entries(VERBS).map(([verb, label]) =>
      button(label, () => call("POST", `${path}/${verb}`).catch((error) => main.append(failure(error)))),
    ),
  );
  main.append(element("h1", {}, t("Ingestion")), counts, actions, rows);
  const first = await call("GET", path, undefined, signal);
  const update = (state) => {
    showCounts(counts, state);
    if (ENDED.has(state.status)) actions.replaceChildren(...(first.library ? linksTo(first.library) : []));
  };
  update(first);
  for await (const { event, data } of events(`${path}/events`, signal)) {
    if (event === "file") rows.append(fileOf(data));
    else if (event === "progress") update(data);
  }
  update(await call("GET", path, undefined, signal));
}

function linksTo(library) {
  const id = encodeURIComponent(library);
  return [
    element("a", { href: `#/ask/in/${id}` }, t("Ask the library a question")),
    element("a", { href: `#/libraries/${id}` }, t("See its documents")),
  ];
}

function fileOf({ source, status, detail }) {
  return element("li", { class: status, dir: "auto" }, `${source}: ${status}`, detail && ` (${detail})`);
}

function showCounts(node, state) {
  const { total, ...counts } = state.files;
  const done = Object.entries(counts).filter(([, files]) => files);
  node.replaceChildren(
    element("p", {}, t("{status}, {chunks} chunks.", { status: state.status, chunks: number(state.chunks) }), " ", done.map(([name, files]) => `${number(files)} ${name}`).join(", ")),
    element("progress", {
      max: total || 1,
      value: counts.added + counts.changed + counts.unchanged + counts.failed,
      "aria-label": t("Files"),
    }),
  );
  const { error, last_failure: last, waiting_for: waiting, failures } = state;
  if (waiting) node.append(element("p", {}, t("Waiting for a {part}.", { part: waiting })));
  if (error ?? last) node.append(failure(new Error(error ?? last)));
  if (failures?.length) {
    const cells = failures.map(({ source, detail }) => [source, detail]);
    node.append(table(t("Files that were not ingested"), [t("File"), t("Reason")], cells));
  }
}
