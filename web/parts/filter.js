// A filter of chunks: rows of conditions that know a library's schema, and the JSON that they write.

import { button, element, failure, field, newId, select } from "../dom.js";
import { t } from "../text.js";
import { conditionsOf, valueOf, writtenOf } from "./conditions.js";

const OPERATORS = [
  ["eq", t("equals")],
  ["ne", t("does not equal")],
  ["in", t("is one of")],
  ["nin", t("is none of")],
  ["gt", t("is greater than")],
  ["gte", t("is at least")],
  ["lt", t("is less than")],
  ["lte", t("is at most")],
  ["between", t("is between")],
  ["contains", t("contains")],
  ["icontains", t("contains, in any case")],
  ["starts_with", t("begins with")],
  ["exists", t("exists")],
];
const ORDERED = ["eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "between", "exists"];
const OF_TYPE = {
  integer: ORDERED,
  number: ORDERED,
  datetime: ORDERED,
  boolean: ["eq", "ne", "in", "nin", "exists"],
  string_list: ["contains", "icontains", "exists"],
};
const BUILT_IN = {
  "document.title": "string",
  "document.source": "string",
  "document.created_at": "datetime",
  "document.updated_at": "datetime",
  "chunk.id": "string",
  "chunk.document_id": "string",
  "chunk.text": "string",
  "chunk.ordinal": "integer",
  "chunk.created_at": "datetime",
  "chunk.updated_at": "datetime",
};
const PLACEHOLDERS = { in: "a, b, c", nin: "a, b, c", between: t("from, to") };
const TRUE_OR_FALSE = [["true", t("true")], ["false", t("false")]];

/** The builder. Its JSON is the filter; conditions that the builder can't show are kept as they are. */
export class FilterBuilder {
  constructor() {
    this.rules = BUILT_IN;
    this.enums = {};
    this.fields = element("datalist", { id: newId() });
    this.rows = element("div", { class: "conditions" });
    this.fault = element("div");
    this.joint = select("joint", [["and", t("all of these")], ["or", t("any of these")]]);
    this.joint.addEventListener("change", () => this.write());
    this.json = element("textarea", {
      rows: 2, spellcheck: "false", dir: "ltr", placeholder: '{"field": "year", "op": "gte", "value": 2020}',
    });
    this.json.addEventListener("input", () => this.read());
    this.add = button(t("Add a condition"), () => this.append({ field: "", op: "eq", value: "" }).querySelector("input").focus());
    this.node = element(
      "fieldset",
      { class: "filter" },
      element("legend", {}, t("Filter")),
      this.fields,
      field(t("Chunks that match"), this.joint),
      this.rows,
      this.add,
      field(t("Filter, as JSON"), this.json),
      this.fault,
    );
  }

  /** Offer the fields of a library's schema, or any field without one. */
  useSchema(schema) {
    const fields = schema?.fields ?? {};
    this.rules = { ...Object.fromEntries(Object.entries(fields).map(([name, { type }]) => [name, type])), ...BUILT_IN };
    this.enums = Object.fromEntries(Object.entries(fields).map(([name, rule]) => [name, rule.enum ?? []]));
    this.fields.replaceChildren(...Object.keys(this.rules).map((value) => element("option", { value })));
    this.read();
  }

  /** Return the filter, undefined if there is none; throws an Error if it is not JSON. */
  get value() {
    const text = this.json.value.trim();
    if (!text) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new Error(t("The filter is not JSON: {reason}", { reason: error.message }));
    }
  }

  set value(filter) {
    this.json.value = filter === undefined ? "" : JSON.stringify(filter);
    this.read();
  }

  /** Show the rows of the JSON. */
  read() {
    this.fault.replaceChildren();
    this.rows.replaceChildren();
    let shown = null;
    try {
      shown = conditionsOf(this.value);
      if (!shown) this.fault.append(element("p", { class: "faint" }, t("This filter says more than rows can show. It is used as written.")));
    } catch (error) {
      this.fault.append(failure(error));
    }
    this.add.disabled = this.joint.disabled = !shown;
    if (!shown) return;
    this.joint.value = shown.joint;
    for (const condition of shown.conditions) this.append(condition);
  }

  /** Write the JSON of the rows. */
  write() {
    this.fault.replaceChildren();
    try {
      const conditions = [...this.rows.children].map((row) => row.condition()).filter(({ field: name }) => name);
      const filter = conditions.length > 1 ? { [this.joint.value]: conditions } : conditions[0];
      this.json.value = filter ? JSON.stringify(filter) : "";
    } catch (error) {
      this.fault.append(failure(error));
    }
  }

  append(condition) {
    const row = element("div", { class: "condition", role: "group", "aria-label": t("Condition") });
    this.fill(row, condition);
    this.rows.append(row);
    return row;
  }

  /** Fill a row with the controls that fit its field and operator. */
  fill(row, condition) {
    const type = this.rules[condition.field];
    const operators = OPERATORS.filter(([op]) => !OF_TYPE[type] || OF_TYPE[type].includes(op));
    const name = element("input", {
      "aria-label": t("Field"), list: this.fields.id, value: condition.field, autocomplete: "off", placeholder: t("Field"),
    });
    const op = select("op", operators, condition.op);
    op.setAttribute("aria-label", t("Operator"));
    const value = this.control(type, op.value, condition);
    row.condition = () => ({ field: name.value.trim(), op: op.value, value: valueOf(value.value, op.value, this.rules[name.value.trim()]) });
    const refill = (control) => {
      this.fill(row, { field: name.value.trim(), op: op.value, value: "" });
      this.write();
      row.querySelector(control).focus();
    };
    name.addEventListener("change", () => refill("select"));
    op.addEventListener("change", () => refill("[data-value]"));
    value.addEventListener("input", () => this.write());
    const remove = button("×", () => (row.remove(), this.write(), this.add.focus()), { "aria-label": t("Remove the condition") });
    row.replaceChildren(name, op, value, remove);
  }

  control(type, op, { field: name, value }) {
    const label = { "aria-label": t("Value"), "data-value": true };
    if (op === "exists" || (type === "boolean" && (op === "eq" || op === "ne"))) {
      const control = select("value", TRUE_OR_FALSE, String(value === "" ? true : value));
      for (const [key, text] of Object.entries(label)) control.setAttribute(key, text);
      return control;
    }
    const written = writtenOf(value);
    const placeholder = PLACEHOLDERS[op] ?? (type === "datetime" ? "2026-01-31T12:00:00Z" : t("Value"));
    const control = element("input", { ...label, value: written, placeholder, autocomplete: "off" });
    if (!this.enums[name]?.length) return control;
    const list = element("datalist", { id: newId() }, this.enums[name].map((each) => element("option", { value: each })));
    this.fields.after(list);
    control.setAttribute("list", list.id);
    return control;
  }
}
