// The server's state, read every two seconds: readiness by part, the cluster, and what /metrics counts.

import { call, probe } from "../api.js";
import { description, element, failure, field, select, table } from "../dom.js";
import { histograms, samples } from "../metrics.js";

export const TITLE = "Server";

const EVERY_MS = 2000;

export async function show(main, _, signal) {
  const body = element("div");
  main.append(element("h1", {}, "Server"), body);
  const { nodes } = await call("GET", "/cluster", undefined, signal);
  if (nodes.length > 1) main.append(handOver(nodes));
  await refresh(body, signal);
  const timer = setInterval(() => refresh(body, signal).catch(() => {}), EVERY_MS);
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
      readiness.ready ? "Ready" : "Not ready",
    ),
    description(Object.entries(readiness.checks)),
    description([
      ["Version", version.version],
      ["Durability", readiness.durability],
      ["Position", String(one("nalanda_position"))],
      ["Libraries", String(one("nalanda_libraries"))],
      ["Vectors", String(one("nalanda_vectors"))],
    ]),
    nodesOf(cluster),
    requests(counted),
    recalls(counted),
  );
}

function nodesOf({ node_id, epoch, nodes }) {
  const rows = nodes.map((each) => [
    each.node_id === node_id ? `${each.address} (this one)` : each.address,
    each.role,
    String(each.position),
    String(each.lag),
    each.last_seen_at,
  ]);
  return table(`Nodes, epoch ${epoch}`, ["Address", "Role", "Position", "Lag", "Last seen"], rows);
}

function handOver(nodes) {
  const form = element(
    "form",
    { class: "row" },
    element("h2", {}, "Hand over"),
    field("Node", select("to", [["", "the one that is furthest"], ...nodes.map((each) => [each.node_id, each.address])])),
    element("button", {}, "Let it lead"),
    element("output"),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector(".failure")?.remove();
    const to = form.elements.to.value;
    try {
      await call("POST", "/cluster/hand-over", to ? { to } : {});
      form.querySelector("output").textContent = "Handed over: the table shows who leads.";
    } catch (error) {
      form.append(failure(error));
    }
  });
  return form;
}

function requests(counted) {
  const rows = histograms(counted, "nalanda_http_request_seconds").map(({ labels, count, quantile }) => [
    `${labels.method} ${labels.route}`,
    String(count),
    ms(quantile(0.5)),
    ms(quantile(0.99)),
  ]);
  return table("Requests", ["Route", "Count", "p50 at most", "p99 at most"], rows);
}

function recalls(counted) {
  const rows = counted
    .filter((each) => each.name === "nalanda_recall")
    .map(({ labels, value }) => [labels.library, value.toFixed(3)]);
  return rows.length ? table("Measured recall", ["Library", "Mean"], rows) : "";
}

function ms(seconds) {
  return seconds === Infinity ? "over 10 s" : `${(seconds * 1000).toFixed(1)} ms`;
}
