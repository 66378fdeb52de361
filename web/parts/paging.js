// Listings, shown page by page.

import { button, element, failure } from "../dom.js";
import { t } from "../text.js";

/**
 * Append the pages of a listing to a node, with a button for the next one.
 *
 * `load(cursor)` returns a page, `render(items)` its element, `empty` says that there is no item.
 */
export async function showPages(node, load, empty, render, cursor = null) {
  const page = await load(cursor);
  if (!page.items.length && !cursor) node.append(element("p", {}, empty));
  else node.append(render(page.items));
  if (!page.next_cursor) return;
  const more = button(t("More"), () => {
    more.remove();
    showPages(node, load, empty, render, page.next_cursor).catch((error) => node.append(failure(error)));
  });
  node.append(more);
}

/** Return the path of a page of a listing that a GET answers. */
export function pageOf(path, cursor, limit) {
  return `${path}?limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`;
}
