// Elements of the page. Strings become text nodes, so that no text of a library can be markup.

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

let fields = 0;

/** Return a labelled control, the label first. */
export function field(label, control) {
  control.id = `field-${++fields}`;
  return element("div", { class: "field" }, element("label", { for: control.id }, label), control);
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

/** Return the name and value pairs as a description list. */
export function description(pairs) {
  return element(
    "dl",
    {},
    pairs
      .filter(([, value]) => value != null && value !== "")
      .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
  );
}
