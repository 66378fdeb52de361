// Elements of the page. Strings become text nodes, so that no text of a library can be markup.

import { number, t } from "./text.js";

const LONGEST_SHOWN = 20_000;

/** Return a new element; an attribute that begins with "on" is a listener, false and null are left out. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child != null && child !== false));
  return node;
}

let ids = 0;

/** Return an id that no other element of the page has. */
export function newId() {
  return `field-${++ids}`;
}

/** Return a labelled control, the label first. */
export function field(label, control) {
  control.id = newId();
  return element("div", { class: "field" }, element("label", { for: control.id }, label), control);
}

/** Return a labelled slider that shows its value; `shown` makes a text of the value. */
export function slider(label, attributes, shown = (value) => value) {
  const control = element("input", { type: "range", ...attributes });
  const output = element("output");
  const show = () => (output.textContent = shown(control.value));
  control.addEventListener("input", show);
  show();
  const node = field(label, control);
  node.append(output);
  return node;
}

/** Return a select with an option for each [value, label]. */
export function select(name, options, chosen) {
  return element(
    "select",
    { name },
    options.map(([value, label]) =>
      element("option", { value, selected: value === chosen }, label),
    ),
  );
}

/** Return a button, which submits no form. */
export function button(label, onclick, attributes = {}) {
  return element("button", { type: "button", onclick, ...attributes }, label);
}

/** Return a table; `rows` are arrays of cells. */
export function table(caption, head, rows) {
  return element(
    "div",
    { class: "scroll", role: "region", "aria-label": caption, tabindex: "0" },
    element(
      "table",
      {},
      element("caption", {}, caption),
      element("thead", {}, element("tr", {}, head.map((cell) => element("th", { scope: "col" }, cell)))),
      element("tbody", {}, rows.map((row) => element("tr", {}, row.map((cell) => element("td", {}, cell))))),
    ),
  );
}

/** Return a message on a failure, in the words of the server. */
export function failure(error) {
  return element("p", { class: "failure", role: "alert" }, error.message);
}

/** Return the name and value pairs as a description list; a value keeps its own direction. */
export function description(pairs) {
  return element(
    "dl",
    {},
    pairs
      .filter(([, value]) => value != null && value !== "")
      .flatMap(([name, value]) => [element("dt", {}, name), element("dd", { dir: "auto" }, value)]),
  );
}

/** Return a text of a library, of which only the beginning is shown at first if it is long. */
export function textOf(text) {
  const node = element("p", { class: "text", dir: "auto" }, text.slice(0, LONGEST_SHOWN));
  if (text.length <= LONGEST_SHOWN) return node;
  const all = button(t("Show all {count} characters", { count: number(text.length) }), () => {
    node.textContent = text;
    all.remove();
  });
  return element("div", {}, node, all);
}

/** Run `work` at each submission of a form, and show its failure in the form. */
export function onSubmit(form, work) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.querySelector(":scope > .failure")?.remove();
    try {
      await work(Object.fromEntries(new FormData(form)));
    } catch (error) {
      form.append(failure(error));
    }
  });
}
