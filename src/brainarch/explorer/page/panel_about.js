/** @import {App} from "./app.js" */
import { byId, make } from "./dom.js";

/**
 * What the page holds, how it was rounded, and what is missing and why.
 *
 * @param {App} app
 */
export function aboutPanel(app) {
  const panel = byId("about");
  const refresh = () => {
    const { slice, page } = app;
    const { cubes, rows, columns, window: shown } = slice.data;
    const cube = cubes[app.network];
    const um = page.pixel_um;
    const missing = page.missing.filter((entry) => entry.slice === slice.z);
    /** @type {[string, string][]} */
    const facts = [
      ["slice", `${slice.z}: ${rows} × ${columns} px, ${((rows * um) / 1000).toFixed(2)} × ${((columns * um) / 1000).toFixed(2)} mm; every pixel, lossless`],
      ["pixel", `${um} µm`],
    ];
    if (shown[0] !== 0 || shown[1] !== 255) {
      facts.push(["grey values", `${shown[0]} is black, ${shown[1]} white`]);
    }
    if (cube) {
      facts.push([
        "representation",
        `${cube.scale.length} units at ${cube.pixels.toLocaleString("en")} places, every ${cube.grid.step} px (extracted at every ${cube.stride} px), each unit rounded to 255 steps of its largest value`,
      ]);
    }
    panel.replaceChildren(
      make("dl", { class: "facts" }, ...facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
      make("p", {}, "Similarity, nearest places and names are computed in this page from the rounded representation. Nothing is sent anywhere: the page may not open any address."),
      make("h3", {}, "Not on this page"),
      missing.length
        ? make("ul", { class: "missing" }, ...missing.map(({ what, why }) => make("li", {}, make("b", {}, what), `: ${why}`)))
        : make("p", {}, "Nothing: every map of this slice is here."),
    );
  };
  for (const event of ["slice", "network"]) app.addEventListener(event, refresh);
  refresh();
}
