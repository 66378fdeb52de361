// The page: one view at a time, chosen by the part of the address behind "#".

import { Problem, useKey } from "./api.js";
import { failure } from "./dom.js";
import * as ask from "./views/ask.js";
import * as ingest from "./views/ingest.js";
import * as libraries from "./views/libraries.js";
import * as search from "./views/search.js";
import * as server from "./views/server.js";

const VIEWS = { libraries, ask, search, ingest, server };

const main = document.getElementById("main");
const dialog = document.getElementById("key");
let shown = new AbortController();

/** Show the view of the address; what the last one still waits for is aborted. */
async function show() {
  shown.abort();
  shown = new AbortController();
  const { signal } = shown;
  const [, name = "libraries", ...path] = location.hash.split("/").map(decodeURIComponent);
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
    if (error instanceof Problem && error.status === 401) dialog.showModal();
    main.append(failure(error));
  }
}

dialog.querySelector("form").addEventListener("submit", (event) => {
  const { key } = Object.fromEntries(new FormData(event.target));
  event.target.reset();
  useKey(key);
  show();
});
addEventListener("hashchange", () => show().then(() => main.focus({ preventScroll: true })));
show();
