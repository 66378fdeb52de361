// Conditions of a filter as a person types them, and as JSON.

import { t } from "../text.js";

const LISTS = new Set(["in", "nin", "between"]);

/** Return {joint, conditions} of a filter that is a list of conditions; null if it is another. */
export function conditionsOf(filter) {
  if (filter === undefined) return { joint: "and", conditions: [] };
  if (isCondition(filter)) return { joint: "and", conditions: [filter] };
  const [[joint, inner] = [], ...others] = Object.entries(filter ?? {});
  const fits = !others.length && (joint === "and" || joint === "or") && Array.isArray(inner);
  return fits && inner.every(isCondition) ? { joint, conditions: inner } : null;
}

function isCondition(filter) {
  if (typeof filter?.field !== "string" || typeof filter.op !== "string") return false;
  const values = Array.isArray(filter.value) ? filter.value : [filter.value];
  return values.every((each) => ["string", "number", "boolean"].includes(typeof each) && !String(each).includes(","));
}

/** Return a condition's value as text; a list is separated by commas. */
export function writtenOf(value) {
  return (Array.isArray(value) ? value : [value]).map(String).join(", ");
}

/** Return the JSON value of a text for an operator and a field's type; throws an Error if it has none. */
export function valueOf(text, op, type) {
  if (op === "exists") return text === "true";
  if (!LISTS.has(op)) return scalar(text, type);
  return text.split(",").map((each) => scalar(each.trim(), type));
}

function scalar(text, type) {
  if (type === "integer" || type === "number") {
    if (text.trim() === "" || !Number.isFinite(Number(text))) throw new Error(t("{value} is not a number.", { value: text || "–" }));
    return Number(text);
  }
  if (type === "boolean") return text === "true";
  if (type !== undefined) return text;
  // A field without a schema: what looks like a number or a boolean is one.
  return /^(-?\d+(\.\d+)?|true|false)$/.test(text) ? JSON.parse(text) : text;
}
