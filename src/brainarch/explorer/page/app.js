/** @import {Cube} from "./cube.js" */
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
export const OPACITY = 60;
/** Layers that a page opens with, as far as the slice has them. */
const FIRST = ["predicted", "outlines", "extracted"];
/** Layers that are lines: they cover nothing, and stay when one map is shown alone. */
export const LINES = ["outlines", "extracted"];
/** Layers of clicks, which a link does not hold. */
const UNLINKED = ["named", "margin", "marked"];
/** Layers that hovering tells, decoded when nothing else is to do. */
const TOLD = ["areas", "predicted", "layers", "confidence", "clusters", "components"];

/**
 * What the page shows and what the user has done; panels listen to its events:
 * `slice`, `layers`, `similar`, `names`, `marked`, `tool`, `network`.
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
    this.network = page.networks[0]?.name ?? "";
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
    /** @type {Map<string, Layer>} layers that clicks made, by network, slice and key */
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
    const first = view.layers ?? FIRST.map((key) => [key, LINES.includes(key) ? 90 : 45]);
    if (this.page.networks.some(({ name }) => name === view.network)) this.#ask(view.network ?? "");
    for (const [key, opacity] of /** @type {[string, number][]} */ (first)) {
      if (there.has(key)) this.shown.set(key, opacity);
    }
    if (view.rgb?.every((factor) => there.has(`factor${factor}`))) this.rgb = view.rgb;
    const beside = view.beside ?? "";
    if (there.has(beside) || this.sliceOf(beside) || this.networkOf(beside)) this.beside = beside;
    await this.#open(slice);
    if (view.at) this.viewer.lookAt({ x: view.at[0], y: view.at[1] }, view.at[2], true);
    await this.#loadCubes();
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
    await this.#open(slice);
    say(`Slice ${slice.z}`);
  }

  /** @param {Slice} slice */
  async #open(slice) {
    await slice.loadPicture();
    this.slice = slice;
    await this.viewer.open(slice);
    performance.mark(`slice ${slice.z}`);
    await this.draw();
    performance.mark(`layers ${slice.z}`);
    await slice.loadCube();
    this.marked = new Uint8Array(slice.cube?.n ?? 0);
    this.tell("slice");
  }

  /** Decode what hovering tells of the slice. */
  async prepareToTell() {
    const { slice } = this;
    const there = slice.list().filter(({ key }) => TOLD.includes(key));
    for (const { key } of there) await slice.layer(key, this.rgb);
    await slice.loadFactors();
  }

  /** Ask the representation by another network. @param {string} network */
  async useNetwork(network) {
    this.#ask(network);
    await this.#loadCubes();
    this.marked = new Uint8Array(this.slice.cube?.n ?? 0);
    this.shown.delete("marked");
    this.findSimilar();
    this.#paint();
    this.tell("network");
    await this.draw();
    this.tell("layers");
  }

  /** @param {string} network */
  #ask(network) {
    this.network = network;
    for (const slice of this.slices) slice.network = network;
    if (this.networkOf(this.beside)?.name === network) this.beside = "";
  }

  /** The networks whose answers are on the screen. */
  #networks() {
    const beside = this.networkOf(this.beside);
    return beside ? [this.network, beside.name] : [this.network];
  }

  async #loadCubes() {
    const wanted = this.#networks().flatMap((name) => this.slices.map((slice) => slice.loadCube(name)));
    await Promise.all(wanted);
  }

  /** Representations by slice. @param {string} network */
  #cubes(network) {
    /** @type {Map<number, Cube>} */
    const cubes = new Map();
    for (const slice of this.slices) {
      const cube = slice.cubeOf(network);
      if (cube) cubes.set(slice.z, cube);
    }
    return cubes;
  }

  /** @param {string} network @param {number} z @param {string} key */
  madeLayer(z, key, network = this.network) {
    return this.made.get(`${network}/${z}/${key}`);
  }

  /** Forget layers that clicks made. @param {string[]} keys */
  #unmake(keys) {
    for (const name of [...this.made.keys()]) {
      if (keys.some((key) => name.endsWith(`/${key}`))) this.made.delete(name);
    }
  }

  /** The slice that a comparison names, as `z204`; undefined if it names a layer. */
  sliceOf(/** @type {string} */ beside) {
    return this.slices.find(({ z }) => `z${z}` === beside);
  }

  /** The network that a comparison names, as `n1` its place in the list. @param {string} beside */
  networkOf(beside) {
    return this.page.networks.find((_, i) => `n${i}` === beside);
  }

  /** Layers that can be switched on, those that clicks made included. */
  list() {
    const made = [...this.made]
      .filter(([name]) => name.startsWith(`${this.network}/${this.slice.z}/`))
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

  /** Show one map alone; lines stay. @param {string} key */
  async only(key) {
    for (const other of [...this.shown.keys()]) if (!LINES.includes(other)) this.shown.delete(other);
    await this.show(key, this.shown.get(key) ?? OPACITY);
  }

  /** @param {string} beside  a layer's key, `z204` for a slice, `n1` for a network, or "" */
  async compare(beside) {
    this.beside = beside;
    if (this.networkOf(beside)) {
      await this.#loadCubes();
      this.findSimilar();
      this.#paint();
    }
    await this.draw();
    this.tell("layers");
  }

  /** Draw what is on; of several calls at a time the last one counts. */
  async draw() {
    const turn = ++this.drawing;
    const main = await this.#collect(this.slice, [...this.shown], this.network);
    let beside = null;
    if (this.beside) {
      const [other, network] = [this.sliceOf(this.beside), this.networkOf(this.beside)?.name];
      if (other) await other.loadPicture();
      /** @type {[string, number][]} */
      const lines = [...this.shown].filter(([key]) => LINES.includes(key));
      const same = other || network;
      beside = {
        layers: await this.#collect(
          other ?? this.slice,
          same ? [...this.shown] : [[this.beside, 70], ...lines],
          network ?? this.network,
        ),
        image: other ? other.image : null,
        network: network !== undefined,
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
   * @param {string} network
   */
  async #collect(slice, wanted, network) {
    const order = this.list().map(({ key }) => key).reverse();
    const sorted = wanted.sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
    const above = sorted.filter(([key]) => LINES.includes(key) || key === "marked");
    const all = [...sorted.filter((entry) => !above.includes(entry)), ...above];
    const layers = await Promise.all(
      all.map(async ([key, percent]) => {
        const made = this.madeLayer(slice.z, key, network);
        const layer = made ?? (await slice.layer(key, this.rgb, network).catch(() => null));
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
      this.#sayNothingHere();
      return;
    }
    this.clicked = [...(more ? this.clicked : []), { z, ...pixel }];
    this.findSimilar();
    if (this.shown.has("similar")) await this.show("similar", this.shown.get("similar"));
    else await this.only("similar");
  }

  #sayNothingHere() {
    const { cube } = this.slice;
    say(cube ? "No representation here: click inside the dashed line" : "This slice has no representation yet");
  }

  /** Find what is like the clicked places, on every slice. */
  findSimilar() {
    this.nearest.clear();
    this.#unmake(["similar"]);
    for (const network of this.#networks()) {
      const cubes = this.#cubes(network);
      const direction = asked(this.clicked, cubes);
      if (!direction) continue;
      for (const [z, cube] of cubes) {
        const found = findSimilar(z, cube, direction, this.clicked, this.page.patch);
        this.made.set(`${network}/${z}/similar`, found.layer);
        if (network === this.network) this.nearest.set(z, found.nearest);
      }
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
      this.#sayNothingHere();
      return;
    }
    this.named.push({ z, ...pixel, name: this.name });
    await this.paintNames();
  }

  /** Paint every slice with the names that clicks gave, and show it. */
  async paintNames() {
    this.#paint();
    if (!this.namedCodes.size) await this.show("named", null);
    else if (this.shown.has("named")) await this.show("named", this.shown.get("named"));
    else await this.only("named");
  }

  #paint() {
    this.namedCodes.clear();
    this.#unmake(["named", "margin"]);
    for (const network of this.#networks()) {
      const cubes = this.#cubes(network);
      const fitted = fitNames(this.named, this.names.length, cubes);
      if (!fitted) continue;
      for (const [z, cube] of cubes) {
        const painted = paintNames(cube, fitted, this.named, this.names);
        this.made.set(`${network}/${z}/named`, painted.named);
        this.made.set(`${network}/${z}/margin`, painted.margin);
        if (network === this.network) this.namedCodes.set(z, painted.codes);
      }
    }
    this.tell("names");
  }

  /** Choose the name that the next click gives. @param {number} name */
  choose(name) {
    this.name = name;
    this.tell("names");
    if (this.tool === "name") this.tell("tool");
    else this.use("name");
  }

  /** Take the last named place back. */
  async takeBack() {
    this.named.pop();
    await this.paintNames();
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
    const name = `${this.network}/${z}/marked`;
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
      network: this.network === this.page.networks[0]?.name ? undefined : this.network,
      layers: [...this.shown].filter(([key]) => !UNLINKED.includes(key)),
      beside: this.beside,
      rgb: this.shown.has("rgb") ? this.rgb : undefined,
      like: this.clicked.map((spot) => [spot.z, spot.y, spot.x]),
    };
    return toFragment(view);
  }
}
