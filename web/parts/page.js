// The picture of a page of a PDF, with the box of a chunk.

import { call, picture } from "../api.js";
import { element } from "../dom.js";
import { t } from "../text.js";

const BOX = "#c2255c";

/** Return the picture of the page of a place, with its box; null if the server has no file of the document. */
export async function pageOf(library, document, place, signal) {
  if (!place?.page || !place.box) return null;
  const path = `/libraries/${encodeURIComponent(library)}/documents/${encodeURIComponent(document)}`;
  const { metadata } = await call("GET", path, undefined, signal);
  if (!metadata.file_sha256) return null;
  const drawn = await picture(`${path}/pages/${place.page}`, signal).catch(() => null);
  return drawn && withBox(drawn, place);
}

function withBox({ image, scale }, { page, box }) {
  const label = t("Page {page}, with a frame around the quoted passage", { page });
  const canvas = element("canvas", { class: "page", role: "img", "aria-label": label, width: image.width, height: image.height });
  const [left, top, right, bottom] = box.map((edge) => edge * scale);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  context.globalCompositeOperation = "multiply";
  context.fillStyle = "#ffe69c";
  context.fillRect(left, top, right - left, bottom - top);
  context.globalCompositeOperation = "source-over";
  context.strokeStyle = BOX;
  context.lineWidth = 2 * scale;
  context.strokeRect(left, top, right - left, bottom - top);
  return canvas;
}
