// The parameters of searches, which the search bench and the batch of queries share.

import { call } from "../api.js";
import { element, failure, slider } from "../dom.js";
import { t } from "../text.js";
import { FilterBuilder } from "./filter.js";
import { libraryPicker } from "./picker.js";

/** The ways to search that are compared, as [title, part of the request]. */
export const MODES = [
  [t("hybrid"), { mode: "hybrid" }],
  [t("vector"), { mode: "vector" }],
  [t("vector, exact"), { mode: "vector", exact: true }],
  [t("lexical"), { mode: "lexical" }],
];

const AUTOMATIC = "0";

/** Return the controls, {picker, nodes, body}; `body()` is the part of a request that they decide. */
export async function searchParameters(library, signal) {
  const picker = await libraryPicker(library, signal);
  const builder = new FilterBuilder();
  const k = slider(t("Hits (k)"), { name: "k", min: 1, max: 100, value: 10 });
  const ef = slider("ef", { name: "ef", min: 0, max: 1000, step: 10, value: 0 }, calibrated);
  const weight = slider(t("Weight of the vectors, in hybrid"), { name: "weight", min: 0, max: 20, value: 0 }, weighed);
  const valueOf = (node) => node.querySelector("input").value;
  const useSchema = async () => {
    try {
      const path = `/libraries/${encodeURIComponent(picker.control.value)}`;
      builder.useSchema((await call("GET", path, undefined, signal)).metadata_schema);
    } catch (error) {
      if (!signal.aborted) builder.fault.replaceChildren(failure(error));
    }
  };
  picker.control.addEventListener("change", useSchema);
  if (picker.control.value) await useSchema();
  const body = (mode) => ({
    k: Number(valueOf(k)),
    ...(builder.value !== undefined && { filter: builder.value }),
    ...(valueOf(ef) !== AUTOMATIC && { parameters: { ef: Number(valueOf(ef)) } }),
    ...(mode === "hybrid" && valueOf(weight) !== AUTOMATIC && { weights: weightsOf(valueOf(weight)) }),
  });
  return { picker, body, nodes: [picker.node, element("div", { class: "sliders" }, k, ef, weight), builder.node] };
}

/** Return the path of a library's searches. */
export function searchPath(library) {
  return `/libraries/${encodeURIComponent(library)}/search`;
}

function calibrated(value) {
  return value === AUTOMATIC ? t("by calibration") : value;
}

function weighed(value) {
  return value === AUTOMATIC ? t("the server's") : `${Number(value) * 5} %`;
}

function weightsOf(value) {
  const vector = Number(value) / 20;
  return { vector, lexical: Number((1 - vector).toFixed(2)) };
}
