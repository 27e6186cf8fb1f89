/** @import {App} from "./app.js" */
import { byId, make } from "./dom.js";

/**
 * Hovering, clicking and dragging on the slice.
 *
 * @param {App} app
 */
export function watchPointer(app) {
  const { osd, element } = app.viewer;
  let waiting = false;
  element.addEventListener("pointermove", (event) => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const box = element.getBoundingClientRect();
      tell(app, app.viewer.pixelAt(event.clientX - box.left, event.clientY - box.top));
    });
  });
  element.addEventListener("pointerleave", () => tell(app, null));

  osd.addHandler("canvas-click", (event) => {
    if (!event.quick) return;
    const pixel = app.viewer.pixelAt(event.position.x, event.position.y);
    const keys = /** @type {PointerEvent} */ (event.originalEvent);
    if (pixel) act(app, pixel, keys.shiftKey);
  });
  osd.addHandler("canvas-press", (event) => {
    if (app.tool === "mark") start = { x: event.position.x, y: event.position.y };
  });
  /** @type {{x: number, y: number}|null} */
  let start = null;
  osd.addHandler("canvas-drag", (event) => {
    if (!start) return;
    event.preventDefaultAction = true;
    app.viewer.band = between(start, event.position);
    app.viewer.draw();
  });
  osd.addHandler("canvas-release", () => {
    const { band } = app.viewer;
    start = null;
    if (!band) return;
    app.viewer.band = null;
    markBand(app, band);
  });
}

/**
 * What a click, or Enter at the cross, does.
 *
 * @param {App} app
 * @param {{y: number, x: number}} pixel
 * @param {boolean} more
 */
export function act(app, pixel, more) {
  if (app.tool === "look") app.ask(pixel, more);
  else if (app.tool === "name") app.point(pixel);
}

/**
 * @param {{x: number, y: number}} a
 * @param {{x: number, y: number}} b
 */
function between(a, b) {
  return {
    x: Math.min(a.x, b.x),
    y: Math.min(a.y, b.y),
    width: Math.abs(a.x - b.x),
    height: Math.abs(a.y - b.y),
  };
}

/**
 * Mark the places inside a rectangle of the screen.
 *
 * @param {App} app
 * @param {{x: number, y: number, width: number, height: number}} band
 */
export function markBand(app, band) {
  const { cube } = app.slice;
  if (!cube) return;
  const { x, y, scale } = app.viewer.placing();
  const [left, top] = [(band.x - x) / scale, (band.y - y) / scale];
  const [right, bottom] = [left + band.width / scale, top + band.height / scale];
  app.mark(
    Uint8Array.from({ length: cube.n }, (_, i) =>
      cube.x[i] >= left && cube.x[i] < right && cube.y[i] >= top && cube.y[i] < bottom ? 1 : 0,
    ),
  );
}

/** Layers that hovering reads, and what it calls them. */
const TOLD = [
  ["areas", "annotated"],
  ["predicted", "predicted"],
  ["layers", "layer"],
  ["clusters", "cluster"],
  ["components", "component"],
  ["named", "your name"],
  ["similar", "cosine"],
];

/**
 * Say what is known of a pixel.
 *
 * @param {App} app
 * @param {{y: number, x: number}|null} pixel
 */
export function tell(app, pixel) {
  const readout = byId("readout");
  readout.hidden = !pixel;
  if (!pixel) return;
  const { slice, page } = app;
  const um = page.pixel_um;
  /** @type {[string, string][]} */
  const lines = [
    ["place", `x ${pixel.x} y ${pixel.y} px`],
    ["", `${(pixel.x * um).toFixed(0)}, ${(pixel.y * um).toFixed(0)} µm`],
  ];
  for (const [key, name] of TOLD) {
    const layer = app.madeLayer(slice.z, key) ?? slice.ready.get(key);
    const text = layer?.at(pixel.y, pixel.x);
    if (!text) continue;
    const sure = key === "predicted" ? slice.ready.get("confidence")?.at(pixel.y, pixel.x) : "";
    lines.push([name, sure ? `${text} (${sure})` : text]);
  }
  const factors = slice.strongestFactors(pixel.y, pixel.x);
  if (factors.length) lines.push(["factors", factors.join(", ")]);
  readout.replaceChildren(
    ...lines.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]),
  );
}
