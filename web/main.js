// The page: one view at a time, chosen by the part of the address behind "#".

import { call, Problem, server, useKey } from "./api.js";
import { button, element, failure } from "./dom.js";
import { number, t, translateDocument } from "./text.js";
import * as ask from "./views/ask.js";
import * as batch from "./views/batch.js";
import * as chunks from "./views/chunks.js";
import * as ingest from "./views/ingest.js";
import * as libraries from "./views/libraries.js";
import * as map from "./views/map.js";
import * as search from "./views/search.js";
import * as serverView from "./views/server.js";

const VIEWS = { libraries, chunks, ask, search, batch, map, ingest, server: serverView };
const UNREACHABLE = 0;
const UNAUTHORIZED = 401;
const RETRY_MS = 1000;

const main = document.getElementById("main");
const notices = document.getElementById("notices");
const dialog = document.getElementById("key");
let shown = new AbortController();
let needsKey = false;

/** Show the view of the address; what the last one still waits for is aborted. */
async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  needsKey = false;
  const [name = "libraries", ...path] = partsOf(location.hash);
  const view = VIEWS[name] ?? libraries;
  for (const link of document.querySelectorAll("nav a")) {
    const isCurrent = link.getAttribute("href") === `#/${name}`;
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${view.TITLE} · Nalanda`;
  main.replaceChildren();
  try {
    await view.show(main, path, signal);
  } catch (error) {
    if (signal.aborted) return;
    main.append(failure(error));
    needsKey = error instanceof Problem && error.status === UNAUTHORIZED;
    if (error instanceof Problem && error.status === UNREACHABLE) showAgain(signal);
  }
}

/** Show the view again once the server answers. */
async function showAgain(signal) {
  while (!signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    const isThere = await call("GET", "/livez", undefined, signal).then(() => true, () => false);
    if (isThere && !signal.aborted) await show();
  }
}

function partsOf(hash) {
  try {
    return hash.split("/").slice(1).map(decodeURIComponent);
  } catch {
    return []; // an address that was cut off inside an escape
  }
}

function notify(text) {
  const notice = element("p", { class: "failure" }, text, " ", button(t("Dismiss"), () => notice.remove()));
  notices.replaceChildren(notice);
}

dialog.querySelector("form").addEventListener("submit", (event) => {
  const { key } = Object.fromEntries(new FormData(event.target));
  event.target.reset();
  useKey(key);
  // A form that the reader has filled in stays; a view that could not be shown is shown now.
  if (needsKey) show();
});
server.addEventListener("unauthorized", () => dialog.open || dialog.showModal());
server.addEventListener("rewound", ({ detail: { before, after } }) =>
  notify(
    t(
      "The server was at position {before} and is at {after} now: the database was restored, or another node answers that is behind. What you see may be gone.",
      { before: number(before), after: number(after) },
    ),
  ),
);
addEventListener("hashchange", () => show().then(() => main.focus({ preventScroll: true })));
translateDocument();
show();
