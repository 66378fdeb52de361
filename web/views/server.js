// The server's state, read every two seconds: readiness by part, the cluster, and what /metrics counts.

import { call, probe } from "../api.js";
import { description, element, failure, field, onSubmit, select, table } from "../dom.js";
import { histograms, samples } from "../metrics.js";
import { number, t } from "../text.js";

export const TITLE = t("Server");

const EVERY_MS = 2000;

export async function show(main, _, signal) {
  const body = element("div");
  main.append(element("h1", {}, t("Server")), body);
  const { nodes } = await call("GET", "/cluster", undefined, signal);
  if (nodes.length > 1) main.append(handOver(nodes));
  await refresh(body, signal);
  const renew = () =>
    refresh(body, signal).catch((error) => signal.aborted || body.replaceChildren(failure(error)));
  const timer = setInterval(renew, EVERY_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

async function refresh(body, signal) {
  const [readiness, version, metrics, cluster] = await Promise.all([
    probe("/readyz", signal),
    call("GET", "/version", undefined, signal),
    call("GET", "/metrics", undefined, signal),
    call("GET", "/cluster", undefined, signal),
  ]);
  const counted = samples(metrics);
  const one = (name) => counted.find((each) => each.name === name)?.value;
  body.replaceChildren(
    element(
      "p",
      { class: readiness.ready ? "ok" : "failure" },
      readiness.ready ? t("Ready") : t("Not ready"),
    ),
    description(Object.entries(readiness.checks)),
    description([
      [t("Version"), version.version],
      [t("Durability"), readiness.durability],
      [t("Position"), String(one("nalanda_position"))],
      [t("Libraries"), String(one("nalanda_libraries"))],
      [t("Vectors"), String(one("nalanda_vectors"))],
    ]),
    nodesOf(cluster),
    requests(counted),
    recalls(counted),
  );
}

function nodesOf({ node_id, epoch, nodes }) {
  const rows = nodes.map((each) => [
    each.node_id === node_id ? t("{address} (this one)", each) : each.address,
    each.role,
    String(each.position),
    String(each.lag),
    each.last_seen_at,
  ]);
  return table(t("Nodes, epoch {epoch}", { epoch }), [t("Address"), t("Role"), t("Position"), t("Lag"), t("Last seen")], rows);
}

function handOver(nodes) {
  const form = element(
    "form",
    { class: "row" },
    element("h2", {}, t("Hand over")),
    field(t("Node"), select("to", [["", t("the one that is furthest")], ...nodes.map((each) => [each.node_id, each.address])])),
    element("button", {}, t("Let it lead")),
    element("output"),
  );
  onSubmit(form, async ({ to }) => {
    await call("POST", "/cluster/hand-over", to ? { to } : {});
    form.querySelector("output").textContent = t("Handed over: the table shows who leads.");
  });
  return form;
}

function requests(counted) {
  const rows = histograms(counted, "nalanda_http_request_seconds").map(({ labels, count, quantile }) => [
    `${labels.method} ${labels.route}`,
    number(count),
    ms(quantile(0.5)),
    ms(quantile(0.99)),
  ]);
  return table(t("Requests"), [t("Route"), t("Count"), t("p50 at most"), t("p99 at most")], rows);
}

function recalls(counted) {
  const rows = counted
    .filter((each) => each.name === "nalanda_recall")
    .map(({ labels, value }) => [labels.library, number(value, 3)]);
  return rows.length ? table(t("Measured recall"), [t("Library"), t("Mean")], rows) : "";
}

function ms(seconds) {
  return seconds === Infinity ? t("over 10 s") : `${number(seconds * 1000, 1)} ms`;
}
