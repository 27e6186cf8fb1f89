/** @import {Layer} from "./layer.js" */
/** @import {Named} from "./naming.js" */
/** @import {View} from "./state.js" */
/** @import {Entry, Found, PageData, Spot} from "./types.js" */
/** @import {SliceViewer} from "./viewer.js" */
import { say } from "./dom.js";
import { codesLayer } from "./layer.js";
import { fitNames, paintNames } from "./naming.js";
import { asked, findSimilar } from "./similar.js";
import { Slice } from "./slice.js";
import { fromFragment, toFragment } from "./state.js";

/** @typedef {"look"|"name"|"mark"} Tool */

/** Opacity in percent of a layer that is switched on. */
const OPACITY = 60;
/** Layers that a page opens with, as far as the slice has them. */
const FIRST = ["predicted", "outlines"];
/** Layers that make room for what a first click paints. */
const FILLS = ["predicted", "areas", "similar", "named"];

/**
 * What the page shows and what the user has done; panels listen to its events:
 * `slice`, `layers`, `similar`, `names`, `marked`, `tool`.
 */
export class App extends EventTarget {
  /**
   * @param {PageData} page
   * @param {Slice[]} slices
   * @param {SliceViewer} viewer
   */
  constructor(page, slices, viewer) {
    super();
    this.page = page;
    this.slices = slices;
    this.viewer = viewer;
    this.slice = slices[0];
    /** @type {Map<string, number>} opacity in percent of every layer that is on */
    this.shown = new Map();
    this.beside = "";
    this.rgb = [1, 2, 3];
    /** @type {Tool} */
    this.tool = "look";
    /** @type {Spot[]} */
    this.clicked = [];
    /** @type {Map<number, Found[]>} by slice */
    this.nearest = new Map();
    /** @type {Entry[]} */
    this.names = page.areas.map((entry) => ({ ...entry }));
    this.name = 0;
    /** @type {Named[]} */
    this.named = [];
    /** @type {Map<number, Uint8Array>} codes of the names, by slice */
    this.namedCodes = new Map();
    /** @type {Uint8Array} whether each place of the slice is marked */
    this.marked = new Uint8Array();
    /** @type {Map<string, Layer>} layers that clicks made, by slice and key */
    this.made = new Map();
    this.drawing = 0;
    this.writing = 0;
  }

  /** @param {string} name */
  tell(name) {
    this.dispatchEvent(new Event(name));
  }

  /** @param {string} fragment */
  async start(fragment) {
    const view = fromFragment(fragment);
    const slice = this.slices.find(({ z }) => z === view.z) ?? this.slices[0];
    const there = new Set(slice.list().map(({ key }) => key));
    const first = view.layers ?? FIRST.map((key) => [key, key === "outlines" ? 100 : 45]);
    for (const [key, opacity] of /** @type {[string, number][]} */ (first)) {
      if (there.has(key)) this.shown.set(key, opacity);
    }
    if (view.rgb?.every((factor) => there.has(`factor${factor}`))) this.rgb = view.rgb;
    if (view.beside && (there.has(view.beside) || this.sliceOf(view.beside))) this.beside = view.beside;
    await this.openSlice(slice);
    if (view.at) this.viewer.lookAt({ x: view.at[0], y: view.at[1] }, view.at[2], true);
    await Promise.all(this.slices.map((each) => each.loadCube()));
    this.slice.loadFactors();
    this.marked = new Uint8Array(this.slice.cube?.n ?? 0);
    this.clicked = (view.like ?? []).map(([z, y, x]) => ({ z, y, x }));
    if (this.clicked.length) {
      this.findSimilar();
      const opacity = view.layers?.find(([key]) => key === "similar")?.[1];
      if (opacity) this.shown.set("similar", opacity);
      await this.draw();
    }
    this.tell("slice");
  }

  /** @param {Slice} slice */
  async openSlice(slice) {
    await slice.loadPicture();
    this.slice = slice;
    await slice.loadCube();
    this.marked = new Uint8Array(slice.cube?.n ?? 0);
    await this.viewer.open(slice);
    slice.loadFactors();
    await this.draw();
    this.tell("slice");
    say(`Slice ${slice.z}`);
  }

  /** The slice that a comparison names, as `z204`; undefined if it names a layer. */
  sliceOf(/** @type {string} */ beside) {
    return this.slices.find(({ z }) => `z${z}` === beside);
  }

  /** Layers that can be switched on, those that clicks made included. */
  list() {
    const made = [...this.made]
      .filter(([name]) => name.startsWith(`${this.slice.z}/`))
      .map(([, { key, title, group }]) => ({ key, title, group }));
    return [...made, ...this.slice.list()];
  }

  /**
   * @param {string} key
   * @param {number|null} opacity  in percent; null switches it off
   */
  async show(key, opacity = OPACITY) {
    if (opacity === null) this.shown.delete(key);
    else this.shown.set(key, opacity);
    await this.draw();
    this.tell("layers");
  }

  /** @param {string} beside  a layer's key, `z` and a slice's number, or "" */
  async compare(beside) {
    this.beside = beside;
    await this.draw();
    this.tell("layers");
  }

  /** Draw what is on; of several calls at a time the last one counts. */
  async draw() {
    const turn = ++this.drawing;
    const main = await this.#collect(this.slice, [...this.shown]);
    let beside = null;
    if (this.beside) {
      const other = this.sliceOf(this.beside);
      if (other) await other.loadPicture();
      const keys = other ? [...this.shown] : /** @type {[string, number][]} */ ([[this.beside, 70]]);
      const outlines = this.shown.has("outlines") && !other ? [["outlines", 100]] : [];
      const wanted = [...keys, .../** @type {[string, number][]} */ (outlines)];
      beside = {
        layers: await this.#collect(other ?? this.slice, wanted),
        image: other ? other.image : null,
      };
    }
    if (turn !== this.drawing) return;
    Object.assign(this.viewer, { layers: main, beside, frames: this.#frames() });
    this.viewer.draw();
    this.keepLink();
  }

  /**
   * @param {Slice} slice
   * @param {[string, number][]} wanted
   */
  async #collect(slice, wanted) {
    const order = this.list().map(({ key }) => key).reverse();
    const sorted = wanted.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    const above = sorted.filter(([key]) => key === "outlines" || key === "marked");
    const all = [...sorted.filter((entry) => !above.includes(entry)), ...above];
    const layers = await Promise.all(
      all.map(async ([key, percent]) => {
        const made = this.made.get(`${slice.z}/${key}`);
        const layer = made ?? (await slice.layer(key, this.rgb).catch(() => null));
        return layer && { layer, opacity: percent / 100 };
      }),
    );
    return layers.filter((entry) => entry !== null);
  }

  #frames() {
    /** @type {import("./viewer.js").Frame[]} */
    const frames = [];
    if (this.tool === "name") {
      for (const spot of this.named) {
        if (spot.z === this.slice.z) {
          frames.push({ spot, kind: "pointed", colour: this.names[spot.name].colour });
        }
      }
      return frames;
    }
    if (this.tool === "mark" || !this.shown.has("similar")) return frames;
    const nearest = this.nearest.get(this.slice.z) ?? [];
    nearest.forEach((spot, i) => frames.push({ spot, kind: "found", text: String(i + 1) }));
    for (const spot of this.clicked) if (spot.z === this.slice.z) frames.push({ spot, kind: "asked" });
    return frames;
  }

  // ------------------------------------------------------------------ similar places

  /**
   * @param {{y: number, x: number}} pixel
   * @param {boolean} more  beside the places clicked before
   */
  async ask(pixel, more) {
    const { cube, z } = this.slice;
    if (!cube || cube.placeAt(pixel.y, pixel.x) < 0) {
      say(cube ? "No representation was extracted here" : "This slice has no representation yet");
      return;
    }
    this.clicked = [...(more ? this.clicked : []), { z, ...pixel }];
    this.findSimilar();
    if (!this.shown.has("similar")) for (const key of FILLS) this.shown.delete(key);
    await this.show("similar", this.shown.get("similar") ?? 85);
  }

  /** Find what is like the clicked places, on every slice. */
  findSimilar() {
    const direction = asked(this.clicked, this.slices);
    this.nearest.clear();
    for (const slice of this.slices) {
      this.made.delete(`${slice.z}/similar`);
      const found = direction && findSimilar(slice, direction, this.clicked, this.page.patch);
      if (!found) continue;
      this.made.set(`${slice.z}/similar`, found.layer);
      this.nearest.set(slice.z, found.nearest);
    }
    this.tell("similar");
  }

  async forget() {
    this.clicked = [];
    this.findSimilar();
    await this.show("similar", null);
  }

  // ------------------------------------------------------------------ names

  /** @param {{y: number, x: number}} pixel */
  async point(pixel) {
    const { cube, z } = this.slice;
    if (!cube || cube.placeAt(pixel.y, pixel.x) < 0) {
      say("No representation was extracted here");
      return;
    }
    this.named.push({ z, ...pixel, name: this.name });
    await this.paintNames();
  }

  /** Paint every slice with the names that clicks gave. */
  async paintNames() {
    const fitted = fitNames(this.named, this.names.length, this.slices);
    this.namedCodes.clear();
    for (const slice of this.slices) {
      const painted = fitted && paintNames(slice, fitted, this.named, this.names);
      for (const key of ["named", "margin"]) this.made.delete(`${slice.z}/${key}`);
      if (!painted) continue;
      this.made.set(`${slice.z}/named`, painted.named);
      this.made.set(`${slice.z}/margin`, painted.margin);
      this.namedCodes.set(slice.z, painted.codes);
    }
    this.tell("names");
    if (fitted && !this.shown.has("named")) for (const key of FILLS) this.shown.delete(key);
    await this.show("named", fitted ? (this.shown.get("named") ?? 60) : null);
  }

  /** @param {Tool} tool */
  async use(tool) {
    this.tool = tool;
    this.tell("tool");
    await this.draw();
  }

  // ------------------------------------------------------------------ marks

  /** @param {Uint8Array} marked  of every place of the slice */
  async mark(marked) {
    this.marked = marked;
    const { cube, z } = this.slice;
    const name = `${z}/marked`;
    const some = cube && marked.includes(1);
    if (some) {
      const codes = new Uint8Array(cube.grid.size);
      cube.elements.forEach((element, i) => (codes[element] = marked[i]));
      const legend = [{ name: "marked", title: "Marked places", colour: "#FF3DF2" }];
      const about = { key: "marked", title: "Marked places", group: "Clicks", grid: cube.grid };
      this.made.set(name, codesLayer(about, codes, legend));
    } else {
      this.made.delete(name);
    }
    this.tell("marked");
    await this.show("marked", some ? (this.shown.get("marked") ?? 75) : null);
  }

  // ------------------------------------------------------------------ link

  /** Keep the view in the address, a moment after the last change. */
  keepLink() {
    clearTimeout(this.writing);
    this.writing = window.setTimeout(() => {
      try {
        history.replaceState(null, "", this.link());
      } catch {
        // an address of its own is refused inside some frames; the view works without
      }
    }, 250);
  }

  /** The part of the address that leads back to this view. */
  link() {
    const { x, y, scale } = this.viewer.middle();
    /** @type {View} */
    const view = {
      z: this.slice.z,
      at: [x, y, scale],
      layers: [...this.shown].filter(([key]) => !["named", "margin", "marked"].includes(key)),
      beside: this.beside,
      rgb: this.shown.has("rgb") ? this.rgb : undefined,
      like: this.clicked.map((spot) => [spot.z, spot.y, spot.x]),
    };
    return toFragment(view);
  }
}
