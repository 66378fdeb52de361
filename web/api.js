// Calls of the server that the page comes from. The key stays in this tab.

import { t } from "./text.js";

const KEY = "nalanda-key";
const RECONNECT_MS = 1000;
const LAST_EVENTS = new Set(["result", "error"]);

const UNAUTHORIZED = 401;

let key = stored();
let position = 0;

/** Tells the page of "unauthorized" calls, and of a "rewound" position, as {before, after}. */
export const server = new EventTarget();

/** A refusal of the server, or none in reach; `status` is 0 then. */
export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Return whether the server has asked for a key. */
export function hasKey() {
  return Boolean(key);
}

/** Use an API key from now on. */
export function useKey(value) {
  key = value;
  try {
    sessionStorage.setItem(KEY, value);
  } catch {
    // A browser without storage asks again after a reload.
  }
}

function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Return the parsed response of a call; throws a Problem. */
export async function call(method, path, body, signal, headers) {
  const response = await send(method, path, body, { signal, headers });
  const text = await response.text();
  return response.headers.get("Content-Type")?.startsWith("application/json")
    ? JSON.parse(text)
    : text;
}

/** Return the parsed response of a POST that takes effect once under its key, however often it is sent. */
export function post(path, body, key) {
  return call("POST", path, body, undefined, { "Idempotency-Key": key });
}

/** Return a key for `post`. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is for secure contexts alone
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return an entity with its ETag, for `change`. */
export async function read(path, signal) {
  const response = await send("GET", path, undefined, { signal });
  return { value: await response.json(), tag: response.headers.get("ETag") };
}

/** Return the entity after a merge patch; throws a Problem with status 412 if `tag` is not its ETag. */
export async function change(path, patch, tag) {
  const response = await send("PATCH", path, patch, { headers: { "If-Match": tag } });
  return response.json();
}

/** Return a picture, and the pixels of a point in it. */
export async function picture(path, signal) {
  const response = await send("GET", path, undefined, { signal });
  return { image: await createImageBitmap(await response.blob()), scale: Number(response.headers.get("Nalanda-Scale")) };
}

/** Return the parsed body also of a response that is no success, such as that of /readyz. */
export async function probe(path, signal) {
  const response = await attempt(path, { headers: authorization(), signal });
  return response.json();
}

/** Yield the events of a stream as {event, data} until its last one, over any number of connections. */
export async function* events(path, signal) {
  let last = "";
  while (!signal.aborted) {
    try {
      const headers = last ? { "Last-Event-ID": last } : {};
      const response = await send("GET", path, undefined, { signal, headers });
      for await (const each of parse(response.body)) {
        last = each.id ?? last;
        yield each;
        if (LAST_EVENTS.has(each.event)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Problem && error.status >= 400 && error.status < 500) throw error;
    }
    await pause(RECONNECT_MS, signal);
  }
}

async function send(method, path, body, { signal, headers = {} } = {}) {
  const isForm = body instanceof FormData;
  const type = body === undefined || isForm ? {} : { "Content-Type": "application/json" };
  const sent = {
    method,
    signal,
    headers: { ...authorization(), ...type, ...headers },
    body: body === undefined || isForm ? body : JSON.stringify(body),
  };
  const response = await attempt(path, sent);
  if (response.ok) return response;
  if (response.status === UNAUTHORIZED) server.dispatchEvent(new Event("unauthorized"));
  throw await problem(response);
}

async function attempt(path, sent) {
  const before = position;
  try {
    const response = await fetch(path, sent);
    notePosition(response, before);
    return response;
  } catch (error) {
    if (sent.signal?.aborted) throw error;
    throw new Problem(0, t("The server does not answer. It may be restarting."));
  }
}

/** Compare a response's position with that of a response which was there before the request. */
function notePosition(response, before) {
  const header = response.headers.get("Nalanda-Position");
  if (header === null) return;
  const after = Number(header);
  if (after >= before) {
    position = Math.max(position, after);
    return;
  }
  position = after;
  server.dispatchEvent(new CustomEvent("rewound", { detail: { before, after } }));
}

function authorization() {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function problem(response) {
  const fallback = t("The server answered {status}.", { status: response.status });
  const body = await response.json().catch(() => ({}));
  const faults = (body.errors ?? []).map((each) => `${each.pointer ?? ""} ${each.detail ?? ""}`);
  return new Problem(response.status, [body.detail ?? fallback, ...faults].join("\n"));
}

async function* parse(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value.replaceAll("\r\n", "\n");
    const blocks = rest.split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = fieldsOf(block);
      if (fields.event) yield { ...fields, data: JSON.parse(fields.data) };
    }
  }
}

function fieldsOf(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, "");
  }
  return fields;
}

function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });
}
