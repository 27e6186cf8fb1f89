/** @import {Grid} from "./grid.js" */
/** @import {Entry, Spot} from "./types.js" */
/** What leaves the page: tables, GeoJSON, lines of config. Texts only; `save` hands them over. */

import { rgbOf } from "./colours.js";
import { tracePolygons } from "./rings.js";

/**
 * A cell of a CSV table, quoted where it has to be.
 *
 * @param {string|number} value
 */
function cell(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * @param {string[]} head
 * @param {(string|number)[][]} rows
 */
export function csv(head, rows) {
  return [head, ...rows].map((row) => row.map(cell).join(",") + "\n").join("");
}

/**
 * The areas of a map of codes as GeoJSON that QuPath takes: pixels of the slice, x then y.
 *
 * @param {Uint8Array} codes  on the grid
 * @param {Grid} grid
 * @param {Entry[]} legend
 * @param {Record<string, number>} properties  of every area, for example the slice
 */
export function areasAsGeoJson(codes, grid, legend, properties) {
  const box = grid.box();
  const polygons = tracePolygons(codes, grid.rows, grid.columns);
  const inOrder = [...polygons].sort(([a], [b]) => a - b);
  const features = inOrder.map(([code, parts]) => {
    const coordinates = parts.map((rings) =>
      rings.map((ring) => ring.map(([x, y]) => [box.x + x * grid.step, box.y + y * grid.step])),
    );
    const entry = legend[code - 1];
    return {
      type: "Feature",
      geometry:
        coordinates.length === 1
          ? { type: "Polygon", coordinates: coordinates[0] }
          : { type: "MultiPolygon", coordinates },
      properties: {
        objectType: "annotation",
        classification: { name: entry.title, color: rgbOf(entry.colour) },
        ...properties,
      },
    };
  });
  return JSON.stringify({ type: "FeatureCollection", features });
}

/**
 * Places as GeoJSON points, each with its properties.
 *
 * @param {(Spot & Record<string, string|number>)[]} spots
 */
export function spotsAsGeoJson(spots) {
  const features = spots.map(({ y, x, ...properties }) => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [x + 0.5, y + 0.5] },
    properties: { objectType: "detection", ...properties },
  }));
  return JSON.stringify({ type: "FeatureCollection", features });
}

/**
 * A map of codes at every pixel of its slice.
 *
 * @param {Uint8Array} codes
 * @param {Grid} grid
 * @param {number} rows
 * @param {number} columns
 */
export function atEveryPixel(codes, grid, rows, columns) {
  const whole = new Uint8Array(rows * columns);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const index = grid.indexAt(y, x);
      if (index >= 0) whole[y * columns + x] = codes[index];
    }
  }
  return whole;
}

/**
 * The lines of a config that take label images in as annotation.
 *
 * @param {Entry[]} legend
 * @param {number[]} slices
 */
export function configLines(legend, slices) {
  const areas = legend.map(
    (entry, i) =>
      `  - {name: ${JSON.stringify(entry.name)}, title: ${JSON.stringify(entry.title)}, ` +
      `codes: [${i + 1}], colour: "${entry.colour}"}\n`,
  );
  return (
    `areas:\n${areas.join("")}annotations:\n  path: labels/z{z:04d}.tif\n` +
    `  slices: [${slices.join(", ")}]\n  ignore: [0]\n`
  );
}
