/** @import {Blocks} from "./blocks.js" */
/** @import {PageData, SliceData} from "./types.js" */
import { Cube } from "./cube.js";
import { Grid } from "./grid.js";
import { codesLayer, outlinesLayer, rgbLayer, valuesLayer } from "./layer.js";

/** @typedef {import("./layer.js").Layer} Layer */

/** One slice of the page; its parts are decoded when they are first wanted. */
export class Slice {
  /**
   * @param {SliceData} data
   * @param {PageData} page
   * @param {Blocks} blocks
   */
  constructor(data, page, blocks) {
    this.data = data;
    this.page = page;
    this.blocks = blocks;
    this.z = data.z;
    /** @type {Map<string, Promise<Uint8Array<ArrayBuffer>>>} */
    this.parts = new Map();
    /** @type {Map<string, Promise<Layer>>} */
    this.layers = new Map();
    /** @type {Map<string, Layer>} */
    this.ready = new Map();
    /** @type {HTMLImageElement|null} */
    this.image = null;
    /** @type {Cube|null} */
    this.cube = null;
    /** Scores of the places on the first principal components, each 0 ... 65535. */
    this.principal = new Uint16Array();
    this.address = "";
    /** @type {Promise<void>|undefined} */
    this.picture = undefined;
    /** @type {{title: string, step: number, grid: Grid, numbers: Uint8Array}[]} */
    this.factorNumbers = [];
  }

  /** Decode the picture; needed before anything is shown. */
  loadPicture() {
    this.picture ??= this.#readPicture();
    return this.picture;
  }

  async #readPicture() {
    const bytes = this.blocks.take(this.data.picture);
    this.address = URL.createObjectURL(new Blob([bytes], { type: "image/png" }));
    const image = new Image();
    image.src = this.address;
    await image.decode();
    this.image = image;
  }

  /** Decode the cube, if there is one. */
  async loadCube() {
    const { cube } = this.data;
    if (this.cube || !cube) return;
    const [extracted, units, principal] = await Promise.all(
      [cube.extracted, cube.units, cube.principal].map((name) => this.#part(name)),
    );
    this.principal = new Uint16Array(principal.buffer);
    this.cube = new Cube(cube.grid, extracted, units, cube.scale);
  }

  /**
   * @param {string} name
   */
  #part(name) {
    let part = this.parts.get(name);
    if (!part) {
      part = this.blocks.read(name);
      this.parts.set(name, part);
    }
    return part;
  }

  /** Layers in the order of the panel, without those that clicks make. */
  list() {
    const shown = this.data.layers.map(({ key, title, group }) => ({ key, title, group }));
    const areas = shown.findIndex(({ key }) => key === "areas");
    if (areas >= 0) {
      shown.splice(areas, 0, { key: "outlines", title: "Outlines of areas", group: "Annotation" });
    }
    if (this.data.cube) {
      shown.push({ key: "principal", title: "Principal components", group: "Representation" });
    }
    if (this.factors().length) shown.push({ key: "rgb", title: "Three factors", group: "Factors" });
    return shown;
  }

  /** Keys of the factors. */
  factors() {
    return this.data.layers.filter(({ group }) => group === "Factors");
  }

  /**
   * A layer, decoded and painted; rejects where the slice has none of that key.
   *
   * @param {string} key
   * @param {number[]} rgb  factors shown as red, green, blue
   * @returns {Promise<Layer>}
   */
  layer(key, rgb) {
    const name = key === "rgb" ? `rgb-${rgb.join("-")}` : key;
    let layer = this.layers.get(name);
    if (!layer) {
      layer = this.#make(key, rgb);
      this.layers.set(name, layer);
      layer.then((made) => this.ready.set(key, made), () => this.layers.delete(name));
    } else {
      layer.then((made) => this.ready.set(key, made));
    }
    return layer;
  }

  /**
   * @param {string} key
   * @param {number[]} rgb
   * @returns {Promise<Layer>}
   */
  async #make(key, rgb) {
    if (key === "outlines") {
      const data = this.#data("areas");
      const about = { ...data, key, title: "Outlines of areas" };
      return outlinesLayer(about, await this.#part(data.block), data.legend ?? []);
    }
    if (key === "principal") return this.#principalLayer();
    if (key === "rgb") {
      const chosen = rgb.map((factor) => this.#data(`factor${factor}`));
      const parts = await Promise.all(chosen.map(({ block }) => this.#part(block)));
      const about = { ...chosen[0], key, title: "Three factors" };
      return rgbLayer(about, parts, chosen.map(({ title }) => title));
    }
    const data = this.#data(key);
    const numbers = await this.#part(data.block);
    if (data.kind === "codes") return codesLayer(data, numbers, data.legend ?? []);
    return valuesLayer(data, numbers, data.stops ?? [], data.high ?? 1);
  }

  /** @param {string} key */
  #data(key) {
    const data = this.data.layers.find((layer) => layer.key === key);
    if (!data) throw new Error(`slice ${this.z} has no layer ${key}`);
    return data;
  }

  async #principalLayer() {
    await this.loadCube();
    const { cube } = this;
    if (!cube) throw new Error(`slice ${this.z} has no cube`);
    const count = Math.min(3, this.principal.length / cube.n);
    const parts = [0, 1, 2].map((component) => {
      const numbers = new Uint8Array(cube.grid.size);
      for (let i = 0; i < cube.n; i++) {
        const score = component < count ? this.principal[component * cube.n + i] : 0;
        numbers[cube.elements[i]] = 1 + Math.round((score / 65535) * 254);
      }
      return numbers;
    });
    const shares = this.page.components?.shares ?? [];
    const titles = shares.map(
      (share, i) => `Component ${i + 1} (${(100 * share).toFixed(0)} % of variance)`,
    );
    const about = { key: "principal", title: "Principal components", group: "Representation" };
    return rgbLayer({ ...about, grid: /** @type {any} */ (cube.grid) }, parts, titles);
  }

  /** Decode every factor, for hovering. */
  async loadFactors() {
    this.factorNumbers = await Promise.all(
      this.factors().map(async ({ block, title, high, grid }) => ({
        title: title.replace("Factor ", "F"),
        step: (high ?? 1) / 254,
        grid: new Grid(grid),
        numbers: await this.#part(block),
      })),
    );
  }

  /**
   * The three factors that are strongest at a pixel, as text.
   *
   * @param {number} y
   * @param {number} x
   */
  strongestFactors(y, x) {
    const found = this.factorNumbers.flatMap(({ title, step, grid, numbers }) => {
      const index = grid.indexAt(y, x);
      const value = index < 0 ? 0 : (numbers[index] - 1) * step;
      return value > 0 ? [{ title, value }] : [];
    });
    found.sort((a, b) => b.value - a.value);
    return found.slice(0, 3).map(({ title, value }) => `${title} ${value.toPrecision(2)}`);
  }
}
