/** @import {App} from "./app.js" */
import { packed, rgbOf } from "./colours.js";
import { byId, make, say } from "./dom.js";
import { csv, spotsAsGeoJson } from "./exports.js";
import { save } from "./save.js";

/** Side of the scatter in pixels of its canvas. */
const SIDE = 640;

/**
 * Every place of the slice by its first two principal components, linked to the slice.
 *
 * @param {App} app
 */
export function scatterPanel(app) {
  const panel = byId("scatter");
  const canvas = make("canvas", {
    width: SIDE,
    height: SIDE,
    class: "scatter",
    tabIndex: 0,
    role: "img",
    "aria-label": "Scatter of the first two principal components; drag to mark places",
  });
  const count = make("p", { class: "faint" });
  const axes = make("p", { class: "axis" });
  const buttons = make("div", { class: "row" },
    make("button", { click: () => app.mark(new Uint8Array(app.slice.cube?.n ?? 0)) }, "Clear"),
    make("button", { click: () => saveMarked(app, "csv") }, "Marked as CSV"),
    make("button", { click: () => saveMarked(app, "geojson") }, "Marked as GeoJSON"),
  );
  panel.replaceChildren(
    make("p", { class: "lead" }, "Every place of the slice, in the colours of the map that lies over it. Drag here to mark places on the slice, or on the slice to light them here."),
    canvas,
    axes,
    count,
    buttons,
  );

  const refresh = () => {
    if (panel.hidden) return;
    const { cube } = app.slice;
    if (cube) paint(app, canvas);
    const marked = app.marked.reduce((sum, value) => sum + value, 0);
    count.textContent = cube
      ? `${cube.n.toLocaleString("en")} places, ${marked.toLocaleString("en")} marked`
      : "This slice has no representation yet.";
    const shares = app.page.networks.find(({ name }) => name === app.network)?.shares ?? [];
    const [first, second] = shares.map((share) => `${Math.round(100 * share)} %`);
    axes.textContent = `→ component 1 (${first ?? "–"} of the variance)   ↑ 2 (${second ?? "–"})`;
    for (const part of [canvas, axes, buttons]) part.hidden = !cube;
  };
  for (const event of ["slice", "layers", "marked", "panel", "network"]) app.addEventListener(event, refresh);
  brush(app, canvas, () => paint(app, canvas));
  refresh();
}

/** @param {App} app @param {number} i */
function pointOf(app, i) {
  const { cube, principal } = app.slice.held.get(app.network) ?? {};
  if (!cube || !principal) return [0, 0];
  const { n } = cube;
  const margin = 12;
  const span = SIDE - 2 * margin;
  return [
    margin + Math.round((principal[i] / 65535) * span),
    SIDE - margin - Math.round(((principal[n + i] ?? 0) / 65535) * span),
  ];
}

/** @param {App} app @param {HTMLCanvasElement} canvas */
function paint(app, canvas) {
  const { cube } = app.slice;
  const context = canvas.getContext("2d");
  if (!cube || !context) return;
  const image = new ImageData(SIDE, SIDE);
  const pixels = new Uint32Array(image.data.buffer);
  const top = app.viewer.layers.map(({ layer }) => layer).filter((layer) => !layer.outlines && layer.key !== "marked").at(-1);
  const plain = packed(rgbOf("#8FA3B8"));
  const light = packed(rgbOf("#FF3DF2"));
  const some = app.marked.includes(1);
  for (const pass of some ? [0, 1] : [0]) {
    for (let i = 0; i < cube.n; i++) {
      if (pass && !app.marked[i]) continue;
      const [x, y] = pointOf(app, i);
      const index = top ? top.grid.indexAt(cube.y[i], cube.x[i]) : -1;
      const own = pass ? light : top && index >= 0 ? (top.pixels[index] | 0xff000000) >>> 0 : plain;
      const at = y * SIDE + x;
      pixels[at] = own;
      pixels[at + 1] = own;
      if (pass) pixels[at + SIDE] = pixels[at + SIDE + 1] = own;
    }
  }
  context.putImageData(image, 0, 0);
}

/** @param {App} app @param {HTMLCanvasElement} canvas @param {() => void} repaint */
function brush(app, canvas, repaint) {
  /** @type {number[]|null} */
  let start = null;
  /** @param {PointerEvent} event */
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  };
  canvas.addEventListener("pointerdown", (event) => {
    start = at(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [x, y] = at(event);
    repaint();
    const context = canvas.getContext("2d");
    if (!context) return;
    context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = 2;
    context.strokeRect(start[0], start[1], x - start[0], y - start[1]);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (!start) return;
    const [[x0, y0], [x1, y1]] = [start, at(event)];
    start = null;
    const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)];
    const [high, low] = [Math.min(y0, y1), Math.max(y0, y1)];
    const marked = Uint8Array.from({ length: app.slice.cube?.n ?? 0 }, (_, i) => {
      const [x, y] = pointOf(app, i);
      return x >= left && x <= right && y >= high && y <= low ? 1 : 0;
    });
    app.mark(marked);
  });
}

/** @param {App} app @param {"csv"|"geojson"} kind */
async function saveMarked(app, kind) {
  const { cube, z } = app.slice;
  if (!cube || !app.marked.includes(1)) {
    say("Nothing is marked");
    return;
  }
  const keys = ["areas", "predicted"].filter((key) => app.list().some((entry) => entry.key === key));
  const layers = await Promise.all(keys.map((key) => app.slice.layer(key, app.rgb)));
  const um = app.page.pixel_um;
  const spots = [...app.marked.keys()].filter((i) => app.marked[i]).map((i) => {
    const [y, x] = [cube.y[i], cube.x[i]];
    const told = Object.fromEntries(layers.map((layer) => [layer.key, layer.at(y, x)]));
    return { z, y, x, ...told };
  });
  if (kind === "geojson") {
    const content = spotsAsGeoJson(spots.map(({ z: slice, ...rest }) => ({ z: slice, ...rest })));
    save(`z${z}_marked.geojson`, content, "application/geo+json");
    return;
  }
  const rows = spots.map((spot) => [z, spot.y, spot.x, (spot.y * um).toFixed(2), (spot.x * um).toFixed(2), ...keys.map((key) => Reflect.get(spot, key))]);
  save(`z${z}_marked.csv`, csv(["slice", "y", "x", "y_um", "x_um", ...keys], rows), "text/csv");
}
