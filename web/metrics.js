// The text format of Prometheus, as far as /metrics uses it.

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** Return the samples of an exposition as {name, labels, value}. */
export function samples(text) {
  const parsed = [];
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries(
      [...(match[2] ?? "").matchAll(LABEL)].map(([, name, value]) => [name, value.replace(/\\(.)/g, "$1")]),
    );
    parsed.push({ name: match[1], labels, value: match[3] === "+Inf" ? Infinity : Number(match[3]) });
  }
  return parsed;
}

/**
 * Return the histograms of a name as {labels, count, quantile}, the busiest first.
 *
 * `quantile(q)` is the upper bound of the bucket that has the quantile.
 */
export function histograms(counted, name) {
  const series = new Map();
  for (const { name: of, labels, value } of counted) {
    if (of !== `${name}_bucket`) continue;
    const { le, ...rest } = labels;
    const id = JSON.stringify(rest);
    if (!series.has(id)) series.set(id, { labels: rest, buckets: [] });
    series.get(id).buckets.push([le === "+Inf" ? Infinity : Number(le), value]);
  }
  return [...series.values()]
    .map(({ labels, buckets }) => {
      buckets.sort(([a], [b]) => a - b);
      const count = buckets.at(-1)[1];
      return { labels, count, quantile: (q) => buckets.find(([, below]) => below >= q * count)[0] };
    })
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}
