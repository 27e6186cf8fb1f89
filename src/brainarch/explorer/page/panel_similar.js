/** @import {App} from "./app.js" */
/** @import {Slice} from "./slice.js" */
/** @import {Found, Spot} from "./types.js" */
import { byId, make, swatch } from "./dom.js";

/**
 * The clicked patch and its nearest places, as crops that lead there.
 *
 * @param {App} app
 */
export function similarPanel(app) {
  const panel = byId("similar");
  const refresh = () => {
    if (!app.clicked.length) {
      panel.replaceChildren(
        make("p", { class: "lead" }, "Click a place on the slice: the map shows what is like it, and the nearest places stand here. Shift-click adds a place; several are averaged."),
      );
      return;
    }
    const [first] = app.clicked;
    const away = `${app.page.patch} px`;
    panel.replaceChildren(
      make(
        "div",
        { class: "asked" },
        crop(app, first, 96),
        make(
          "div",
          {},
          make("p", {}, app.clicked.length > 1 ? `Mean of ${app.clicked.length} places` : place(app, first)),
          make("p", { class: "faint" }, `Cosine of ${app.slice.cube?.scale.length} units. Places closer than ${away} to a clicked one or to each other are left out.`),
          make("button", { click: () => app.forget() }, "Clear"),
        ),
      ),
      ...app.slices.flatMap((slice) => {
        const found = app.nearest.get(slice.z) ?? [];
        if (!found.length) return [];
        const title = slice === app.slice ? "Nearest on this slice" : `Nearest on slice ${slice.z}`;
        const list = make("ol", { class: "crops" }, ...found.map((spot, i) => item(app, spot, i)));
        const tally = make("p", { class: "tally" });
        tellAreas(slice, found, list, tally);
        return [make("h3", {}, title), tally, list];
      }),
    );
  };
  for (const event of ["similar", "slice"]) app.addEventListener(event, refresh);
  refresh();
}

/**
 * Say in which areas the nearest places lie: annotated ones, or else predicted ones.
 *
 * @param {Slice} slice
 * @param {Found[]} found
 * @param {HTMLElement} list
 * @param {HTMLElement} tally
 */
async function tellAreas(slice, found, list, tally) {
  const key = ["areas", "predicted"].find((each) => slice.list().some((entry) => entry.key === each));
  if (!key) return;
  const layer = await slice.layer(key, []);
  /** @type {Map<string, number>} */
  const counts = new Map();
  /** @type {Map<string, string>} */
  const colours = new Map((layer.legend ?? []).map(({ title, colour }) => [title, colour]));
  found.forEach((spot, i) => {
    const title = layer.at(spot.y, spot.x);
    counts.set(title, (counts.get(title) ?? 0) + 1);
    if (title) list.children[i]?.querySelector("b")?.append(swatch(colours.get(title) ?? "#888888"));
  });
  const sorted = [...counts].sort((a, b) => b[1] - a[1]);
  tally.replaceChildren(
    ...sorted.map(([title, count]) =>
      make("span", {}, title ? swatch(colours.get(title) ?? "#888888") : null, `${title || "no area"} ${count}`),
    ),
  );
}

/** @param {App} app @param {Spot} spot */
function place(app, { z, y, x }) {
  const um = app.page.pixel_um;
  return `Slice ${z}, x ${x} y ${y} px (${Math.round(x * um)}, ${Math.round(y * um)} µm)`;
}

/** @param {App} app @param {Found} spot @param {number} i */
function item(app, spot, i) {
  const score = spot.score.toFixed(3);
  const go = async () => {
    const slice = app.slices.find(({ z }) => z === spot.z);
    if (slice && slice !== app.slice) await app.openSlice(slice);
    app.viewer.lookAt(spot);
    await app.draw();
  };
  return make(
    "li",
    {},
    make(
      "button",
      { click: go, title: place(app, spot), "aria-label": `${i + 1}: cosine ${score}, ${place(app, spot)}` },
      crop(app, spot, 72),
      make("span", { class: "place" }, `${i + 1}`),
      make("b", {}, score),
    ),
  );
}

/**
 * The patch of a place, cut from the picture at full resolution.
 *
 * @param {App} app
 * @param {Spot} spot
 * @param {number} side
 */
function crop(app, { z, y, x }, side) {
  const canvas = make("canvas", { width: 2 * side, height: 2 * side, style: `width:${side}px` });
  const slice = app.slices.find((each) => each.z === z);
  const { patch } = app.page;
  slice?.loadPicture().then(() => {
    const context = canvas.getContext("2d");
    if (!context || !slice.image) return;
    context.drawImage(slice.image, x - patch / 2, y - patch / 2, patch, patch, 0, 0, 2 * side, 2 * side);
  });
  return canvas;
}
