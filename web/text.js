// The texts of the page in the reader's language. English is written where it is shown; texts/ has the others.

import { GERMAN } from "./texts/de.js";

const CATALOGUES = { en: {}, de: GERMAN };
const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

/** The first of the browser's languages that has a catalogue. */
export const LANGUAGE =
  navigator.languages.map((each) => each.split("-")[0]).find((each) => each in CATALOGUES) ?? "en";

/** Return a text in the reader's language, with {name} replaced by a value. */
export function t(text, values = {}) {
  return (CATALOGUES[LANGUAGE][text] ?? text).replace(/\{(\w+)\}/g, (_, name) => isolated(String(values[name])));
}

/** Return a number as the reader's language writes it. */
export function number(value, digits = 0) {
  return value.toLocaleString(LANGUAGE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Return a time of the API as the reader's region writes it. */
export function moment(time) {
  return new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** Translate the elements of the document that are marked with `data-text`. */
export function translateDocument() {
  document.documentElement.lang = LANGUAGE;
  document.documentElement.dir = RIGHT_TO_LEFT.has(LANGUAGE) ? "rtl" : "ltr";
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.textContent);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.getAttribute("aria-label")));
}

/** Return a text that can't change the direction of what follows it. */
export function isolated(text) {
  return /[\u202a-\u202e\u2066-\u2069]/.test(text) ? `\u2068${text}\u2069` : text;
}
