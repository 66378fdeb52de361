// The deletion of what is shown: below a summary, with what it deletes, and confirmed by a button.

import { call } from "../api.js";
import { button, element, failure } from "../dom.js";

/** Return the element that deletes `path`, and then shows the view at `next`; `attributes` are the button's. */
export function deletion(path, { summary, text, label, next, attributes = {} }) {
  const remove = async () => {
    details.querySelector(".failure")?.remove();
    try {
      await call("DELETE", path);
      location.hash = next;
    } catch (error) {
      details.append(failure(error));
    }
  };
  const details = element(
    "details",
    {},
    element("summary", {}, summary),
    element("p", {}, text),
    button(label, remove, attributes),
  );
  return details;
}
