// What the page shows as commands: for a terminal, and for the SDK.

import { hasKey } from "../api.js";
import { element } from "../dom.js";
import { t } from "../text.js";

/** Return a POST as a curl line and as Python, behind a summary. */
export function commands(path, body, python) {
  return element(
    "details",
    {},
    element("summary", {}, t("As a command")),
    element("pre", { tabindex: "0", dir: "ltr" }, curlOf(path, body)),
    element("pre", { tabindex: "0", dir: "ltr" }, python),
  );
}

/** Return a search as a line of the SDK. */
export function searchWithSdk(library, body) {
  const { include: _, ...options } = body;
  const given = Object.entries(options).map(([name, value]) => `${name}=${pythonOf(value)}`);
  const address = [pythonOf(location.origin), ...(hasKey() ? ['api_key="…"'] : [])].join(", ");
  return `from nalanda import Nalanda\nNalanda(${address}).search(${[pythonOf(library), ...given].join(", ")})`;
}

function curlOf(path, body) {
  const quoted = JSON.stringify(body).replaceAll("'", "'\\''");
  const key = hasKey() ? ' -H "Authorization: Bearer $NALANDA_API_KEY"' : "";
  return `curl ${location.origin}${path}${key} -H 'Content-Type: application/json' -d '${quoted}'`;
}

function pythonOf(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(", ")}]`;
  if (typeof value !== "object") return JSON.stringify(value);
  return `{${Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${pythonOf(each)}`).join(", ")}}`;
}
