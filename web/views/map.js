// The map: all chunks of a library in two dimensions, coloured by a field, with a query and its hits.

import { call } from "../api.js";
import { button, element, failure, field, newId, onSubmit } from "../dom.js";
import { coloursOf } from "../map/colours.js";
import { healthOf, legendOf } from "../map/legend.js";
import { Plot } from "../map/plot.js";
import { chunkItem } from "../parts/chunk.js";
import { libraryPicker } from "../parts/picker.js";
import { searchPath } from "../parts/searching.js";
import { number, t } from "../text.js";

export const TITLE = t("Map");

const POLL_MS = 500;
const MAX_FILTER_IDS = 10_000;
const FIELDS = ["document.title", "document.source", "chunk.ordinal", "chunk.created_at"];

export async function show(main, [id], signal) {
  const picker = await libraryPicker(id, signal);
  const library = id ?? picker.control.value;
  picker.control.addEventListener("change", () => (location.hash = `#/map/${encodeURIComponent(picker.control.value)}`));
  main.append(element("h1", {}, t("Map")), element("form", { class: "row" }, picker.node));
  if (picker.isEmpty) main.append(element("p", {}, t("Create a library first.")));
  if (library) await new MapView(main, library, signal).show();
}

class MapView {
  constructor(main, library, signal) {
    Object.assign(this, { main, library, signal, path: `/libraries/${encodeURIComponent(library)}` });
    this.state = element("p", { role: "status" });
    this.legend = element("div");
    this.stage = element("div", { class: "stage" });
    this.selection = element("section", { "aria-live": "polite" });
    this.chosen = element("section", { "aria-live": "polite", "aria-label": t("Chosen chunk") });
    this.health = element("div");
  }

  async show() {
    const { metadata_schema: schema } = await call("GET", this.path, undefined, this.signal);
    this.main.append(this.controls(schema), this.state, this.stage, this.legend, this.selection, this.chosen, this.health);
    await this.load();
  }

  controls(schema) {
    const fields = element("datalist", { id: newId() }, [...Object.keys(schema?.fields ?? {}), ...FIELDS].map((value) => element("option", { value })));
    this.colour = element("input", { name: "colour", list: fields.id, autocomplete: "off", spellcheck: "false", placeholder: "document.title" });
    const colouring = element("form", { class: "row" }, fields, field(t("Colour by a field"), this.colour), element("button", {}, t("Colour")));
    onSubmit(colouring, () => this.load());
    const query = element("input", { name: "text", type: "search", required: true, dir: "auto" });
    const asking = element("form", { class: "row" }, field(t("Query"), query), element("button", {}, t("Draw it in")));
    onSubmit(asking, () => this.drawQuery(query.value));
    return element("div", { class: "columns" }, colouring, asking);
  }

  /** Load the map until the server has drawn the current one; draw what there is meanwhile. */
  async load() {
    const color_by = this.colour.value.trim() || undefined;
    for (;;) {
      const found = await call("POST", `${this.path}/map`, { color_by }, this.signal);
      if (found.points) this.draw(found);
      this.state.textContent = this.stateOf(found);
      if (found.state === "ready") return;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      this.signal.throwIfAborted();
    }
  }

  stateOf({ state, points, total, position, explained }) {
    if (!points) return t("The server is drawing the map.");
    if (!total) return t("The library has no vector yet.");
    const parts = [
      t("{points} of {total} chunks at position {position}", { points: number(points.chunk_ids.length), total: number(total), position: number(position) }),
      t("the axes show {share} % of the variance", { share: number((explained[0] + explained[1]) * 100) }),
    ];
    if (state !== "ready") parts.push(t("the server is drawing a newer map"));
    return parts.join("; ");
  }

  draw({ points, health, total }) {
    this.ids = points.chunk_ids;
    const [x, y] = [points.x, points.y].map((packed) => new Float32Array(bytesOf(packed)));
    const codes = points.codes && new Int32Array(bytesOf(points.codes));
    const { colours, legend } = coloursOf(points.values, codes, x.length);
    this.plot = new Plot({ x, y, colours, onChoose: (index) => this.choose(index), onSelect: (indices) => this.showSelection(indices) });
    this.stage.replaceChildren(this.plot.canvas, this.buttons());
    this.legend.replaceChildren(legendOf(legend));
    this.selection.replaceChildren();
    this.health.replaceChildren(healthOf(health, total, (id) => this.linkTo(id)));
  }

  buttons() {
    const lasso = button(t("Lasso"), () => {
      this.plot.lassoes = !this.plot.lassoes;
      lasso.setAttribute("aria-pressed", String(this.plot.lassoes));
    }, { "aria-pressed": "false" });
    return element(
      "p",
      { class: "actions" },
      button("+", () => this.plot.zoom(1.5), { "aria-label": t("Zoom in") }),
      button("−", () => this.plot.zoom(1 / 1.5), { "aria-label": t("Zoom out") }),
      button(t("Show all"), () => this.plot.showAll()),
      lasso,
      button(t("Select what is in view"), () => this.plot.selectView()),
    );
  }

  showSelection(indices) {
    this.selection.replaceChildren();
    if (!indices.length) return;
    const ids = indices.map((index) => this.ids[index]);
    const count = element("p", {}, t("{count} chunks are selected.", { count: number(ids.length) }));
    this.selection.append(count);
    if (ids.length > MAX_FILTER_IDS) count.append(" ", t("A filter takes at most {most} ids: select fewer.", { most: number(MAX_FILTER_IDS) }));
    else count.append(" ", element("a", { href: this.filterOf(ids) }, t("Browse them by a filter")));
  }

  filterOf(ids) {
    const filter = JSON.stringify({ field: "chunk.id", op: "in", value: ids });
    return `#/chunks/${encodeURIComponent(this.library)}/${encodeURIComponent(filter)}`;
  }

  linkTo(id) {
    return element("a", { href: this.filterOf([id]), dir: "auto" }, id);
  }

  async choose(index) {
    try {
      const chunk = await call("GET", `${this.path}/chunks/${encodeURIComponent(this.ids[index])}`, undefined, this.signal);
      this.chosen.replaceChildren(element("ol", { class: "chunks" }, chunkItem(this.library, chunk)));
    } catch (error) {
      if (!this.signal.aborted) this.chosen.replaceChildren(failure(error));
    }
  }

  async drawQuery(text) {
    const [placed, found] = await Promise.all([
      call("POST", `${this.path}/map`, { text, include: [] }, this.signal),
      call("POST", searchPath(this.library), { text, k: 10, include: ["text"] }, this.signal),
    ]);
    const places = new Map(this.ids.map((id, index) => [id, index]));
    const hits = found.hits.map((hit) => places.get(hit.chunk_id)).filter((index) => index !== undefined);
    this.plot.mark(hits, placed.query && { x: placed.query[0], y: placed.query[1] });
    const items = found.hits.map((hit) => element("li", {}, element("p", { class: "text", dir: "auto" }, hit.text)));
    this.chosen.replaceChildren(
      element("h2", {}, t("Hits of the query, marked on the map")),
      element("ol", { class: "hits" }, items),
    );
  }
}

function bytesOf(packed) {
  return Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)).buffer;
}
