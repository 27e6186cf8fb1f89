/** @import {Entry, GridShape, LayerData} from "./types.js" */
import { codeTable, packed, quantile, valueTable } from "./colours.js";
import { Grid } from "./grid.js";
import { simplify, tracePolygons } from "./rings.js";

/** Colours of similarity, from the least similar shown to the clicked place. */
export const SIMILARITY_STOPS = ["#1B0C41", "#4A0C6B", "#A52C60", "#ED6925", "#F7D13D", "#FCFFA4"];
/** Share of the values above which all take the last colour. */
const BRIGHTEST = 0.995;

/** A map of a slice that can be drawn over it. */
export class Layer {
  /**
   * @param {string} key
   * @param {string} title
   * @param {string} group
   * @param {GridShape} shape
   * @param {Uint32Array} pixels  packed colours of the grid's elements
   * @param {object} about
   * @param {Entry[]} [about.legend]
   * @param {{stops: string[], low: string, high: string}} [about.scale]
   * @param {boolean} [about.smooth]  whether it is drawn between elements
   * @param {string} [about.note]
   * @param {(index: number) => string} about.tell  what it says at an element, "" for nothing
   * @param {Path2D} [about.outlines]  drawn instead of the pixels
   * @param {number[]} [about.dashes]  of the outlines, on the screen
   */
  constructor(key, title, group, shape, pixels, about) {
    this.key = key;
    this.title = title;
    this.group = group;
    this.grid = new Grid(shape);
    this.pixels = pixels;
    this.legend = about.legend;
    this.scale = about.scale;
    this.smooth = about.smooth ?? false;
    this.note = about.note ?? "";
    this.tell = about.tell;
    this.outlines = about.outlines;
    this.dashes = about.dashes ?? [];
    /** @type {HTMLCanvasElement|null} */
    this.painted = null;
  }

  /** The grid as a canvas, painted when it is first wanted. */
  canvas() {
    if (!this.painted) {
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, this.grid.columns);
      canvas.height = Math.max(1, this.grid.rows);
      const context = canvas.getContext("2d");
      const image = new ImageData(canvas.width, canvas.height);
      new Uint32Array(image.data.buffer).set(this.pixels);
      context?.putImageData(image, 0, 0);
      this.painted = canvas;
    }
    return this.painted;
  }

  /**
   * What it says at a pixel of the slice; "" for nothing.
   *
   * @param {number} y
   * @param {number} x
   */
  at(y, x) {
    const index = this.grid.indexAt(y, x);
    return index < 0 ? "" : this.tell(index);
  }
}

/**
 * The colour of every number.
 *
 * @param {Uint8Array} numbers
 * @param {Uint32Array} table
 */
function coloured(numbers, table) {
  const pixels = new Uint32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) pixels[i] = table[numbers[i]];
  return pixels;
}

/**
 * @param {Pick<LayerData, "key"|"title"|"group"|"grid">} data
 * @param {Uint8Array} codes
 * @param {Entry[]} legend
 * @param {string} [note]
 */
export function codesLayer({ key, title, group, grid }, codes, legend, note) {
  const table = codeTable(legend);
  const there = new Set(codes);
  return new Layer(key, title, group, grid, coloured(codes, table), {
    legend: legend.filter((_, i) => there.has(i + 1)),
    note,
    tell: (index) => legend[codes[index] - 1]?.title ?? "",
  });
}

/**
 * Outlines of codes, drawn as lines that stay thin.
 *
 * @param {Pick<LayerData, "key"|"title"|"group"|"grid">} data
 * @param {Uint8Array} codes
 * @param {Entry[]} legend
 * @param {number[]} [dashes]
 */
export function outlinesLayer({ key, title, group, grid }, codes, legend, dashes) {
  const outlines = new Path2D();
  const box = new Grid(grid).box();
  for (const parts of tracePolygons(codes, grid.rows, grid.columns).values()) {
    for (const ring of parts.flat()) {
      const corners = simplify(ring, 0.8);
      corners.forEach(([x, y], i) => {
        const [px, py] = [box.x + x * grid.step, box.y + y * grid.step];
        if (i) outlines.lineTo(px, py);
        else outlines.moveTo(px, py);
      });
    }
  }
  return new Layer(key, title, group, grid, new Uint32Array(), {
    outlines,
    dashes,
    tell: (index) => legend[codes[index] - 1]?.title ?? "",
  });
}

/**
 * @param {Pick<LayerData, "key"|"title"|"group"|"grid">} data
 * @param {Uint8Array} numbers  0 for none; number q stands for (q - 1) / 254 * high
 * @param {string[]} stops
 * @param {number} high
 * @param {object} [options]
 * @param {number} [options.low]  number of the first colour
 * @param {number} [options.top]  number of the last colour
 * @param {string} [options.note]
 */
export function valuesLayer({ key, title, group, grid }, numbers, stops, high, options = {}) {
  const low = options.low ?? 1;
  const top = options.top ?? Math.max(low + 1, quantile(numbers, BRIGHTEST));
  const table = valueTable(stops, low, top);
  /** @param {number} number */
  const text = (number) => (((number - 1) / 254) * high).toPrecision(3);
  return new Layer(key, title, group, grid, coloured(numbers, table), {
    scale: { stops, low: text(low), high: text(top) },
    smooth: true,
    note: options.note,
    tell: (index) => (numbers[index] ? text(numbers[index]) : ""),
  });
}

/**
 * Three maps as red, green and blue.
 *
 * @param {Pick<LayerData, "key"|"title"|"group"|"grid">} data
 * @param {Uint8Array[]} parts  numbers of red, green, blue; 0 for none
 * @param {string[]} titles
 */
export function rgbLayer({ key, title, group, grid }, parts, titles) {
  const tables = parts.map((part) => {
    const [low, high] = [quantile(part, 0.01), quantile(part, BRIGHTEST)];
    return Float64Array.from({ length: 256 }, (_, q) =>
      Math.min(255, Math.max(0, (255 * (q - low)) / Math.max(1, high - low))),
    );
  });
  const pixels = new Uint32Array(grid.rows * grid.columns);
  for (let i = 0; i < pixels.length; i++) {
    if (parts[0][i]) pixels[i] = packed(parts.map((part, channel) => tables[channel][part[i]]));
  }
  const colours = ["#FF0000", "#00FF00", "#0000FF"];
  return new Layer(key, title, group, grid, pixels, {
    legend: titles.map((name, i) => ({ name, title: name, colour: colours[i] })),
    smooth: true,
    tell: () => "",
  });
}

/**
 * The colours of a scale as a CSS gradient.
 *
 * @param {string[]} stops
 */
export function gradient(stops) {
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

