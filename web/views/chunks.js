// The chunks of a library that match a filter, in any order.

import { call } from "../api.js";
import { element, field, onSubmit } from "../dom.js";
import { chunkItem } from "../parts/chunk.js";
import { FilterBuilder } from "../parts/filter.js";
import { showPages } from "../parts/paging.js";
import { t } from "../text.js";
import { linkTo } from "./libraries.js";

export const TITLE = t("Chunks");

const PAGE = 50;

export async function show(main, [id, filter], signal) {
  const path = `/libraries/${encodeURIComponent(id)}`;
  const library = await call("GET", path, undefined, signal);
  const builder = new FilterBuilder();
  if (filter) builder.json.value = filter;
  builder.useSchema(library.metadata_schema);
  const order = element("input", {
    name: "order", list: builder.fields.id, placeholder: "-chunk.created_at", autocomplete: "off", spellcheck: "false",
  });
  const form = element("form", {}, builder.node, field(t("Order by a field; - in front for descending"), order), element("button", {}, t("Show")));
  const chunks = element("section", { "aria-label": t("Chunks") });
  main.append(element("p", {}, linkTo(id, t("← The library"))), element("h1", { dir: "auto" }, library.name), form, chunks);
  const run = async () => {
    chunks.replaceChildren();
    const wanted = { filter: builder.value, order_by: order.value.trim() || undefined, limit: PAGE };
    const load = (cursor) => call("POST", `${path}/chunks/query`, { ...wanted, ...(cursor && { cursor }) }, signal);
    await showPages(chunks, load, t("No chunk matches."), (items) =>
      element("ol", { class: "chunks" }, items.map((each) => chunkItem(id, each))),
    );
    const kept = wanted.filter === undefined ? "" : `/${encodeURIComponent(JSON.stringify(wanted.filter))}`;
    history.replaceState(null, "", `#/chunks/${encodeURIComponent(id)}${kept}`);
  };
  onSubmit(form, run);
  form.requestSubmit();
}
