/** @import {Blocks} from "./blocks.js" */
/** @import {PageData, SliceData} from "./types.js" */
import { inflate } from "./blocks.js";
import { Cube } from "./cube.js";
import { Grid } from "./grid.js";
import { codesLayer, outlinesLayer, rgbLayer, valuesLayer } from "./layer.js";

/** @typedef {import("./layer.js").Layer} Layer */

/**
 * @typedef {{cube: Cube, principal: Uint16Array}} Representation
 *   `principal`: scores of the places on the first principal components, each 0 ... 65535
 */

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
    /** The network whose representation is asked. */
    this.network = page.networks[0]?.name ?? "";
    /** @type {Map<string, Promise<void>>} */
    this.loading = new Map();
    /** @type {Map<string, Representation>} decoded ones, by network */
    this.held = new Map();
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

  /** The representation by the network that is asked; null where there is none. */
  get cube() {
    return this.cubeOf(this.network);
  }

  /** @param {string} network */
  cubeOf(network) {
    return this.held.get(network)?.cube ?? null;
  }

  /** Decode the representation by a network, if there is one. @param {string} [network] */
  loadCube(network = this.network) {
    let loading = this.loading.get(network);
    if (!loading) {
      loading = this.#readCube(network);
      this.loading.set(network, loading);
    }
    return loading;
  }

  /** @param {string} network */
  async #readCube(network) {
    const cube = this.data.cubes[network];
    if (!cube) return;
    const [extracted, units, principal] = await Promise.all(
      [cube.extracted, cube.units, cube.principal].map((name) => inflate(this.blocks.take(name))),
    );
    this.held.set(network, {
      cube: new Cube(cube.grid, extracted, units, cube.scale),
      principal: new Uint16Array(principal.buffer),
    });
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
    if (Object.keys(this.data.cubes).length) {
      shown.push({ key: "extracted", title: "Extracted part", group: "Representation" });
      shown.push({ key: "principal", title: "Three principal components", group: "Representation" });
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
   * @param {string} [network]  whose representation is shown
   * @returns {Promise<Layer>}
   */
  layer(key, rgb, network = this.network) {
    const own = key === "rgb" ? rgb : key === "principal" || key === "extracted" ? [network] : [];
    const name = [key, ...own].join("-");
    let layer = this.layers.get(name);
    if (!layer) {
      layer = this.#make(key, rgb, network);
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
   * @param {string} network
   * @returns {Promise<Layer>}
   */
  async #make(key, rgb, network) {
    if (key === "outlines") {
      const data = this.#data("areas");
      const about = { ...data, key, title: "Outlines of areas" };
      return outlinesLayer(about, await this.#part(data.block), data.legend ?? []);
    }
    if (key === "principal") return this.#principalLayer(network);
    if (key === "extracted") return this.#extractedLayer(network);
    if (key === "rgb") {
      const chosen = rgb.map((factor) => this.#data(`factor${factor}`));
      const parts = await Promise.all(chosen.map(({ block }) => this.#part(block)));
      const about = { ...chosen[0], key, title: "Three factors" };
      return rgbLayer(about, parts, chosen.map(({ title }) => title));
    }
    const data = this.#data(key);
    const numbers = await this.#part(data.block);
    if (data.kind === "codes") return codesLayer(data, numbers, data.legend ?? []);
    return valuesLayer(data, numbers, data.stops ?? [], data.high ?? 1, { note: data.note });
  }

  /** @param {string} key */
  #data(key) {
    const data = this.data.layers.find((layer) => layer.key === key);
    if (!data) throw new Error(`slice ${this.z} has no layer ${key}`);
    return data;
  }

  /** @param {string} network */
  async #representation(network) {
    await this.loadCube(network);
    const held = this.held.get(network);
    if (!held) throw new Error(`slice ${this.z} has no representation by ${network}`);
    return held;
  }

  /** @param {string} network */
  async #extractedLayer(network) {
    const { cube } = await this.#representation(network);
    const there = new Uint8Array(cube.grid.size);
    for (const element of cube.elements) there[element] = 1;
    const about = { key: "extracted", title: "Extracted part", group: "Representation" };
    return outlinesLayer({ ...about, grid: cube.grid }, there, [], [7, 5]);
  }

  /** @param {string} network */
  async #principalLayer(network) {
    const { cube, principal } = await this.#representation(network);
    const count = Math.min(3, principal.length / cube.n);
    const parts = [0, 1, 2].map((component) => {
      const numbers = new Uint8Array(cube.grid.size);
      for (let i = 0; i < cube.n; i++) {
        const score = component < count ? principal[component * cube.n + i] : 0;
        numbers[cube.elements[i]] = 1 + Math.round((score / 65535) * 254);
      }
      return numbers;
    });
    const shares = this.page.networks.find(({ name }) => name === network)?.shares ?? [];
    const titles = shares.map(
      (share, i) => `Component ${i + 1} (${(100 * share).toFixed(0)} % of variance)`,
    );
    const about = { key: "principal", title: "Three principal components", group: "Representation" };
    return rgbLayer({ ...about, grid: cube.grid }, parts, titles);
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
