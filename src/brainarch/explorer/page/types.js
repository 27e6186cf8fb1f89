/**
 * What the page holds, as `brainarch.explorer.stages.write_explorer` writes it.
 *
 * @typedef {{y0: number, x0: number, step: number, rows: number, columns: number}} GridShape
 *   Element (i, j) belongs to pixel (y0 + i * step, x0 + j * step) of the slice.
 *
 * @typedef {{name: string, title: string, colour: string}} Entry  An area, layer, cluster ...
 *
 * @typedef {object} LayerData
 * @property {string} key
 * @property {string} title
 * @property {string} group
 * @property {"codes"|"values"} kind
 * @property {GridShape} grid
 * @property {string} block
 * @property {Entry[]} [legend]  of codes: code c is entry c - 1
 * @property {number} [high]  of values: number q stands for (q - 1) / 254 * high, 0 for none
 * @property {string} [note]  of values: what they mean
 * @property {string[]} [stops]  of values: colours from low to high
 *
 * @typedef {object} CubeData
 * @property {GridShape} grid
 * @property {string} extracted
 * @property {string} units
 * @property {string} principal
 * @property {number[]} scale
 * @property {number} pixels
 * @property {number} stride
 *
 * @typedef {{name: string, title: string, shares: number[]}} Network
 *   `shares` of the variance that its first principal components have, over the page's slices
 *
 * @typedef {object} SliceData
 * @property {number} z
 * @property {number} rows
 * @property {number} columns
 * @property {string} picture
 * @property {number[]} window
 * @property {LayerData[]} layers
 * @property {Record<string, CubeData>} cubes  by network
 *
 * @typedef {object} PageData
 * @property {string} title
 * @property {number} pixel_um
 * @property {number} patch
 * @property {Entry[]} areas
 * @property {Network[]} networks  whose representation some slice has; the first is shown first
 * @property {SliceData[]} slices
 * @property {{slice: number, what: string, why: string}[]} missing
 *
 * @typedef {{z: number, y: number, x: number}} Spot  A pixel of a slice.
 * @typedef {Spot & {score: number}} Found
 */

export {};
