// A scatter plot of many points on a canvas, to pan, zoom, choose a point and draw a lasso.
// Points are written into the canvas's pixels: 100,000 of them take a few milliseconds without a graphics card.

import { element } from "../dom.js";
import { t } from "../text.js";

const FEW = 5_000;
const STEP = 0.1;
const ZOOM = 1.25;
const NEAR_PX = 8;
const CLICK_PX = 3;
const HIT_COLOUR = "#d01c8b";

export class Plot {
  /** `x`, `y`: Float32Arrays. `colours`: a Uint32Array of ABGR. `onChoose(index)`, `onSelect(indices)`: what to do. */
  constructor({ x, y, colours, onChoose, onSelect }) {
    Object.assign(this, { x, y, colours, onChoose, onSelect, path: null, hits: [], query: null, lassoes: false });
    this.selected = new Uint8Array(x.length);
    this.canvas = element("canvas", { class: "map", tabindex: "0", role: "img", "aria-label": t("Map of the chunks. Arrows move it, + and − zoom.") });
    this.context = this.canvas.getContext("2d");
    this.canvas.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
    this.canvas.addEventListener("keydown", (event) => this.onKey(event));
    this.canvas.addEventListener("pointerdown", (event) => this.onPointer(event));
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.canvas);
    this.showAll();
  }

  /** Show all points. */
  showAll() {
    const [left, right] = extent(this.x);
    const [bottom, top] = extent(this.y);
    this.centre = { x: (left + right) / 2, y: (bottom + top) / 2 };
    this.span = Math.max(right - left, top - bottom, 1e-9) * 1.1;
    this.schedule();
  }

  /** Zoom by a factor around a place on the canvas, by default its middle. */
  zoom(factor, at = { x: this.canvas.width / 2, y: this.canvas.height / 2 }) {
    const before = this.placeOf(at);
    this.span /= factor;
    const after = this.placeOf(at);
    this.centre.x += before.x - after.x;
    this.centre.y += before.y - after.y;
    this.schedule();
  }

  /** Mark the points of hits, and a query's place {x, y} or null. */
  mark(hits, query) {
    Object.assign(this, { hits, query });
    this.schedule();
  }

  recolour(colours) {
    this.colours = colours;
    this.schedule();
  }

  /** Select the points that are in view. */
  selectView() {
    const { width, height } = this.canvas;
    this.select((x, y) => x >= 0 && y >= 0 && x < width && y < height);
  }

  clearSelection() {
    this.select(() => false);
  }

  select(contains) {
    const indices = [];
    this.each((index, x, y) => {
      this.selected[index] = contains(x, y) ? 1 : 0;
      if (this.selected[index]) indices.push(index);
    });
    this.onSelect(indices);
    this.schedule();
  }

  get scale() {
    return Math.min(this.canvas.width, this.canvas.height) / this.span;
  }

  /** Call `visit` with each point's index and place on the canvas. */
  each(visit) {
    const { x, y, scale, centre } = this;
    const [middle, centreY] = [this.canvas.width / 2, this.canvas.height / 2];
    for (let index = 0; index < x.length; index++) {
      visit(index, middle + (x[index] - centre.x) * scale, centreY - (y[index] - centre.y) * scale);
    }
  }

  placeOf({ x, y }) {
    return {
      x: this.centre.x + (x - this.canvas.width / 2) / this.scale,
      y: this.centre.y - (y - this.canvas.height / 2) / this.scale,
    };
  }

  pixelOf({ x, y }) {
    return {
      x: this.canvas.width / 2 + (x - this.centre.x) * this.scale,
      y: this.canvas.height / 2 - (y - this.centre.y) * this.scale,
    };
  }

  resize() {
    const { clientWidth, clientHeight } = this.canvas;
    if (!clientWidth) return;
    this.canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.schedule();
  }

  /** Draw with the next frame, however often this is called before it. */
  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    const { width, height } = this.canvas;
    if (!width || !height) return;
    if (this.image?.width !== width || this.image?.height !== height) {
      this.image = this.context.createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    this.pixels.fill(0);
    this.drawPoints(width, height);
    this.context.putImageData(this.image, 0, 0);
    this.drawMarks();
    this.canvas.dataset.drawn = String(this.x.length);
  }

  drawPoints(width, height) {
    const { x, y, colours, selected, pixels, scale, centre } = this;
    const size = Math.round((x.length > FEW ? 2 : 5) * devicePixelRatio);
    const left = width / 2 - size / 2;
    const top = height / 2 - size / 2;
    const isNarrowed = selected.includes(1);
    for (let index = 0; index < x.length; index++) {
      const column = (left + (x[index] - centre.x) * scale) | 0;
      const row = (top - (y[index] - centre.y) * scale) | 0;
      if (column < 0 || row < 0 || column + size > width || row + size > height) continue;
      const colour = isNarrowed && !selected[index] ? (colours[index] & 0xffffff) | 0x40000000 : colours[index];
      for (let line = row; line < row + size; line++) {
        const start = line * width + column;
        for (let at = start; at < start + size; at++) pixels[at] = colour;
      }
    }
  }

  drawMarks() {
    const { context } = this;
    context.lineWidth = 2 * devicePixelRatio;
    context.strokeStyle = HIT_COLOUR;
    for (const index of this.hits) {
      const { x, y } = this.pixelOf({ x: this.x[index], y: this.y[index] });
      context.beginPath();
      context.arc(x, y, 7 * devicePixelRatio, 0, 2 * Math.PI);
      context.stroke();
    }
    if (this.query) {
      const { x, y } = this.pixelOf(this.query);
      const arm = 9 * devicePixelRatio;
      context.beginPath();
      context.moveTo(x - arm, y);
      context.lineTo(x + arm, y);
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
      context.stroke();
    }
    if (this.path) {
      context.beginPath();
      for (const { x, y } of this.path) context.lineTo(x, y);
      context.stroke();
    }
  }

  onWheel(event) {
    event.preventDefault();
    this.zoom(ZOOM ** (-event.deltaY / 100), this.at(event));
  }

  onKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key in steps) {
      const [right, up] = steps[event.key];
      this.centre.x += right * STEP * this.span;
      this.centre.y += up * STEP * this.span;
      this.schedule();
    } else if (event.key === "+") this.zoom(ZOOM);
    else if (event.key === "-") this.zoom(1 / ZOOM);
    else if (event.key === "Escape") this.clearSelection();
    else return;
    event.preventDefault();
  }

  /** Follow a pointer: it draws a lasso with Shift or in that mode, else it moves the map or chooses a point. */
  onPointer(down) {
    const first = this.at(down);
    const draws = this.lassoes || down.shiftKey;
    let last = first;
    if (draws) this.path = [first];
    this.canvas.setPointerCapture(down.pointerId);
    const move = (event) => {
      const now = this.at(event);
      if (draws) this.path.push(now);
      else {
        this.centre.x -= (now.x - last.x) / this.scale;
        this.centre.y += (now.y - last.y) / this.scale;
      }
      last = now;
      this.schedule();
    };
    const up = () => {
      this.canvas.removeEventListener("pointermove", move);
      if (draws) this.endLasso();
      else if (Math.hypot(last.x - first.x, last.y - first.y) < CLICK_PX) this.choose(first);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", up, { once: true });
  }

  endLasso() {
    const path = this.path;
    this.path = null;
    this.select((x, y) => isInside(path, x, y));
  }

  choose(at) {
    let [nearest, best] = [-1, NEAR_PX * devicePixelRatio];
    this.each((index, x, y) => {
      const distance = Math.hypot(x - at.x, y - at.y);
      if (distance < best) [nearest, best] = [index, distance];
    });
    if (nearest >= 0) this.onChoose(nearest);
  }

  at({ offsetX, offsetY }) {
    return { x: offsetX * devicePixelRatio, y: offsetY * devicePixelRatio };
  }
}

function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length ? [low, high] : [0, 0];
}

/** Return whether a closed path has a point inside, by the even-odd rule. */
function isInside(path, x, y) {
  let inside = false;
  for (let one = 0, other = path.length - 1; one < path.length; other = one++) {
    const [a, b] = [path[one], path[other]];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}
