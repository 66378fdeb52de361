// Files into a library: chosen or dropped here, then followed by the ingestion's id.

import { call, events } from "../api.js";
import { element, failure, field, select, table } from "../dom.js";
import { names } from "./libraries.js";

export const TITLE = "Ingest";

const ENDED = new Set(["completed", "failed", "cancelled"]);

export async function show(main, [first, second], signal) {
  if (first && first !== "into") await showIngestion(main, first, signal);
  else await showForm(main, second, signal);
}

async function showForm(main, library, signal) {
  const libraries = await names(signal);
  const picker = element("input", { type: "file", multiple: true, name: "files" });
  const folder = element("input", { type: "file", webkitdirectory: true, name: "folder" });
  const form = element(
    "form",
    { class: "drop" },
    field("Library", select("library", libraries, library)),
    field("Files", picker),
    field("or a folder", folder),
    element("p", {}, "Or drop files here."),
    element("button", { disabled: !libraries.length }, "Ingest"),
  );
  let dropped = [];
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    dropped = [...event.dataTransfer.files];
    form.requestSubmit();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector(".failure")?.remove();
    const files = [...picker.files, ...folder.files, ...dropped];
    dropped = [];
    try {
      const id = await start(form.elements.library.value, files);
      location.hash = `#/ingest/${encodeURIComponent(id)}`;
    } catch (error) {
      form.append(failure(error));
    }
  });
  main.append(element("h1", {}, "Ingest"), form);
  if (!libraries.length) main.append(element("p", {}, "Create a library first."));
}

async function start(library, files) {
  if (!files.length) throw new Error("Choose files, or a folder with files.");
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
    ["pause", "resume", "cancel"].map((verb) => {
      const steer = () => call("POST", `${path}/${verb}`).catch((error) => main.append(failure(error)));
      return element("button", { type: "button", onclick: steer }, verb);
    }),
  );
  main.append(element("h1", {}, "Ingestion"), counts, actions, rows);
  const update = (state) => {
    showCounts(counts, state);
    if (ENDED.has(state.status)) actions.replaceChildren(...linksTo(state.library));
  };
  update(await call("GET", path, undefined, signal));
  for await (const { event, data } of events(`${path}/events`, signal)) {
    if (event === "file") rows.append(fileOf(data));
    else if (event === "progress") update(data);
  }
  update(await call("GET", path, undefined, signal));
}

function linksTo(library) {
  const id = encodeURIComponent(library);
  return [
    element("a", { href: `#/ask/in/${id}` }, "Ask the library a question"),
    element("a", { href: `#/libraries/${id}` }, "See its documents"),
  ];
}

function fileOf({ source, status, detail }) {
  return element("li", { class: status }, `${source}: ${status}`, detail && ` (${detail})`);
}

function showCounts(node, state) {
  const { total, ...counts } = state.files;
  const done = Object.entries(counts).filter(([, number]) => number);
  node.replaceChildren(
    element("p", {}, `${state.status}, ${state.chunks} chunks. `, done.map(([name, number]) => `${number} ${name}`).join(", ")),
    element("progress", {
      max: total || 1,
      value: counts.added + counts.changed + counts.unchanged + counts.failed,
      "aria-label": "Files",
    }),
  );
  const { error, last_failure: last, waiting_for: waiting, failures } = state;
  if (waiting) node.append(element("p", {}, `Waiting for a ${waiting}.`));
  if (error ?? last) node.append(failure(new Error(error ?? last)));
  if (failures?.length) {
    const cells = failures.map(({ source, detail }) => [source, detail]);
    node.append(table("Files that were not ingested", ["File", "Reason"], cells));
  }
}
