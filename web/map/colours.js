// Colours of points by the values of a field: a scale for numbers, one colour each for the most frequent values.

import { number, t } from "../text.js";

// Middle tones that stand out on light and on dark paper; after Okabe and Ito, for colour-blind readers.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8b5cf6", "#e69f00"];
const SCALE = ["#3b5bdb", "#1c9ea8", "#5aa02c", "#d99a00", "#d1495b"];
const OTHER = "#8a8a8a";

/** Return {colours, legend}: a Uint32Array of ABGR, and [colour, label] pairs. */
export function coloursOf(values, codes, count) {
  if (!codes) return { colours: new Uint32Array(count).fill(packed(PALETTE[0])), legend: [] };
  const numbers = values.filter((value) => typeof value === "number");
  return numbers.length > PALETTE.length && numbers.length === values.length ? byScale(values, codes) : byValue(values, codes);
}

function byScale(values, codes) {
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const colourOf = values.map((value) => packed(SCALE[Math.min(SCALE.length - 1, Math.floor(((value - low) / (high - low)) * SCALE.length))]));
  const step = (high - low) / SCALE.length;
  const legend = SCALE.map((colour, at) => [colour, `${number(low + at * step, 1)} – ${number(low + (at + 1) * step, 1)}`]);
  return { colours: paint(codes, colourOf), legend: withOther(legend, codes.includes(-1)) };
}

function byValue(values, codes) {
  const counts = new Uint32Array(values.length);
  for (const code of codes) if (code >= 0) counts[code]++;
  const frequent = [...counts.keys()].sort((a, b) => counts[b] - counts[a] || a - b).slice(0, PALETTE.length);
  const colourOf = new Array(values.length).fill(packed(OTHER));
  frequent.forEach((code, at) => (colourOf[code] = packed(PALETTE[at])));
  const legend = frequent.map((code, at) => [PALETTE[at], `${values[code]} (${number(counts[code])})`]);
  return { colours: paint(codes, colourOf), legend: withOther(legend, codes.includes(-1) || values.length > frequent.length) };
}

function withOther(legend, hasOthers) {
  return hasOthers ? [...legend, [OTHER, t("other or none")]] : legend;
}

function paint(codes, colourOf) {
  const other = packed(OTHER);
  return Uint32Array.from(codes, (code) => (code < 0 ? other : colourOf[code]));
}

function packed(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}
