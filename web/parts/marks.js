// Texts with marked spans. The API counts Unicode code points, and JavaScript UTF-16 units.

import { element } from "../dom.js";
import { isolated, t } from "../text.js";

/**
 * Return nodes of the text in which each span is a <mark>.
 *
 * Spans are {start, end, attributes?} in code points, in order; one that overlaps an earlier one is
 * left out.
 */
export function marked(text, spans) {
  const points = Array.from(text);
  const nodes = [];
  let at = 0;
  for (const { start, end, attributes } of spans) {
    if (start < at) continue;
    nodes.push(points.slice(at, start).join(""));
    nodes.push(element("mark", attributes ?? {}, points.slice(start, end).join("")));
    at = end;
  }
  nodes.push(points.slice(at).join(""));
  return nodes;
}

/** Return where a chunk stands, such as "ports.md › Harbours, page 3". */
export function whereOf(place, fallback) {
  if (!place) return isolated(fallback);
  const headings = (place.headings ?? []).join(" › ");
  const name = [place.title ?? place.source, headings].filter(Boolean).join(" › ");
  const at = place.page ? `, ${t("page {page}", place)}` : place.line ? `, ${t("line {line}", place)}` : "";
  return isolated(name || fallback) + at;
}
