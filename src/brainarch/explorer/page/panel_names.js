/** @import {App} from "./app.js" */
import { byId, make, say, swatch } from "./dom.js";
import { areasAsGeoJson, atEveryPixel, configLines, csv } from "./exports.js";
import { countRight } from "./naming.js";
import { save } from "./save.js";
import { writeTiff } from "./tiff.js";

/** Colours of names that the user adds. */
const NEW_COLOURS = ["#E15759", "#76B7B2", "#B07AA1", "#9C755F", "#EDC948", "#59A14F"];

/**
 * Naming by clicking: choose a name, click places that have it, look at the map, correct it.
 *
 * @param {App} app
 */
export function namesPanel(app) {
  const panel = byId("names");
  const refresh = () => {
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset.focus;
    const counts = app.names.map((_, i) => app.named.filter(({ name }) => name === i).length);
    panel.replaceChildren(
      make("p", { class: "lead" }, "Choose a name and click places that have it. From the second name on, every slice is painted; click again where it is wrong. Only your clicks and the representation are used, no annotation."),
      make(
        "div",
        { class: "names", role: "radiogroup", "aria-label": "Name given by the next click" },
        ...app.names.map((entry, i) => nameRow(app, entry, i, counts[i])),
      ),
      addRow(app),
      ...agreement(app),
      make(
        "div",
        { class: "row" },
        make("button", { disabled: !app.named.length, "data-focus": "undo", title: "U", click: () => app.takeBack() }, "Undo last place"),
        make("button", { disabled: !app.named.length, "data-focus": "clear", click: () => clear(app) }, "Clear all"),
      ),
      make("h3", {}, "Take it away"),
      make(
        "div",
        { class: "row" },
        exportButton(app, "Label TIFF", saveTiff),
        exportButton(app, "GeoJSON", saveGeoJson),
        make("button", { disabled: !app.named.length, click: () => savePoints(app) }, "Places (CSV)"),
        exportButton(app, "Config lines", saveConfig),
      ),
    );
    for (const element of panel.querySelectorAll("[data-focus]")) {
      if (element instanceof HTMLElement && element.dataset.focus === focused) element.focus();
    }
  };
  for (const event of ["names", "slice", "told", "network"]) app.addEventListener(event, refresh);
  refresh();
}

/** How far the names are those of the annotation, where the slice has one. @param {App} app */
function agreement(app) {
  const { cube, z } = app.slice;
  const [codes, areas] = [app.namedCodes.get(z), app.slice.ready.get("areas")];
  if (!cube || !codes || !areas) return [];
  const { right, annotated } = countRight(cube, codes, app.names, areas);
  if (!annotated) return [];
  const share = `${((100 * right) / annotated).toFixed(1)} %`;
  return [make("p", { class: "agreement" }, `Slice ${z}: ${share} of ${annotated.toLocaleString("en")} annotated places named as the annotation does.`)];
}

/** @param {App} app @param {import("./types.js").Entry} entry @param {number} i @param {number} count */
function nameRow(app, entry, i, count) {
  const radio = make("input", {
    type: "radio",
    name: "name",
    checked: app.name === i,
    "data-focus": `name-${i}`,
    change: () => app.choose(i),
  });
  const places = count === 1 ? "1 place" : `${count} places`;
  const key = i < 9 ? make("kbd", {}, String(i + 1)) : null;
  return make("label", { class: "name" }, radio, swatch(entry.colour), make("span", {}, entry.title), make("small", {}, count ? places : ""), key);
}

/** @param {App} app */
function addRow(app) {
  const text = make("input", { type: "text", placeholder: "A name of your own", "aria-label": "Another name", maxLength: 60 });
  const add = () => {
    const title = text.value.trim();
    if (!title || app.names.some((entry) => entry.title === title)) return;
    const colour = NEW_COLOURS[(app.names.length - app.page.areas.length) % NEW_COLOURS.length];
    const name = title.replace(/[^A-Za-z0-9_-]+/g, "_");
    app.names.push({ name, title, colour });
    app.choose(app.names.length - 1);
  };
  text.addEventListener("keydown", (event) => event.key === "Enter" && add());
  return make("div", { class: "row" }, text, make("button", { click: add }, "Add"));
}

/** @param {App} app */
function clear(app) {
  app.named = [];
  app.paintNames();
}

/** @param {App} app @param {string} title @param {(app: App) => void} act */
function exportButton(app, title, act) {
  return make("button", { disabled: !app.namedCodes.has(app.slice.z), click: () => act(app) }, title);
}

/** @param {App} app */
function current(app) {
  const { slice } = app;
  const codes = app.namedCodes.get(slice.z);
  if (!codes || !slice.cube) throw new Error("nothing is named on this slice");
  return { slice, codes, grid: slice.cube.grid };
}

/** @param {number} z */
const numbered = (z) => `z${String(z).padStart(4, "0")}`;

/** @param {App} app */
function saveTiff(app) {
  const { slice, codes, grid } = current(app);
  const { rows, columns } = slice.data;
  const whole = atEveryPixel(codes, grid, rows, columns);
  save(`${numbered(slice.z)}.tif`, writeTiff(whole, rows, columns), "image/tiff");
  say("Label TIFF saved: code 1 is the first name, 2 the second and so on");
}

/** @param {App} app */
function saveGeoJson(app) {
  const { slice, codes, grid } = current(app);
  save(`${numbered(slice.z)}_names.geojson`, areasAsGeoJson(codes, grid, app.names, { slice: slice.z }), "application/geo+json");
}

/** @param {App} app */
function savePoints(app) {
  const um = app.page.pixel_um;
  const rows = app.named.map(({ z, y, x, name }) => [z, y, x, (y * um).toFixed(2), (x * um).toFixed(2), app.names[name].name, app.names[name].title]);
  save("places.csv", csv(["slice", "y", "x", "y_um", "x_um", "name", "title"], rows), "text/csv");
}

/** @param {App} app */
function saveConfig(app) {
  save("annotation.yaml", configLines(app.names, [...app.namedCodes.keys()]), "text/yaml");
}
