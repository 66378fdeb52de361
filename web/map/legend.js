// What stands next to the map: the legend of its colours, and the report of the embeddings' health.

import { element, table } from "../dom.js";
import { number, t } from "../text.js";

const SVG = "http://www.w3.org/2000/svg";

/** Return the legend of [colour, label] pairs. */
export function legendOf(pairs) {
  return element(
    "ul",
    { class: "legend", "aria-label": t("Colours") },
    pairs.map(([colour, label]) => element("li", {}, swatch(colour), element("bdi", {}, label))),
  );
}

// The content policy allows no style attributes, and SVG needs none.
function swatch(colour) {
  const svg = document.createElementNS(SVG, "svg");
  const circle = document.createElementNS(SVG, "circle");
  for (const [name, value] of Object.entries({ width: 12, height: 12, "aria-hidden": "true" })) svg.setAttribute(name, value);
  for (const [name, value] of Object.entries({ cx: 6, cy: 6, r: 5, fill: colour })) circle.setAttribute(name, value);
  svg.append(circle);
  return svg;
}

/** Return the report; `link(id)` makes an element that leads to a chunk. */
export function healthOf(health, total, link) {
  const { near_duplicates: near, outliers, degenerate, probed } = health;
  const head = [t("Chunk"), t("Nearest other"), t("Cosine")];
  const rows = (pairs) => pairs.map((pair) => [link(pair.chunk_id), link(pair.nearest_id), number(pair.similarity, 4)]);
  const counts = { probed: number(probed), total: number(total) };
  return element(
    "section",
    {},
    element("h2", {}, t("Health of the embeddings")),
    element("p", {}, t("The nearest neighbour of {probed} of {total} chunks was looked up.", counts)),
    near.length ? table(t("Near-duplicates"), head, rows(near)) : element("p", {}, t("No near-duplicates.")),
    outliers.length ? table(t("Outliers, the farthest from any other chunk first"), head, rows(outliers)) : null,
    degenerate.length
      ? table(t("Vectors of almost no length"), [t("Chunk")], degenerate.map((id) => [link(id)]))
      : element("p", {}, t("No vector is degenerate.")),
  );
}
