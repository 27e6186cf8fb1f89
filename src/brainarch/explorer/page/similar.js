/** @import {Slice} from "./slice.js" */
/** @import {Found, Spot} from "./types.js" */
import { quantile } from "./colours.js";
import { meanDirection } from "./cube.js";
import { SIMILARITY_STOPS, valuesLayer } from "./layer.js";
import { nearestPlaces } from "./nearest.js";

/** Nearest places that are shown, of each slice. */
export const NEAREST = 12;
/** Share of the places below which the similarity map shows nothing. */
const FAINTEST = 0.5;

/**
 * The representation that clicked places have on average, or null where none has one.
 *
 * @param {Spot[]} spots
 * @param {Slice[]} slices
 */
export function asked(spots, slices) {
  const directions = spots.flatMap(({ z, y, x }) => {
    const cube = slices.find((slice) => slice.z === z)?.cube;
    const place = cube ? cube.placeAt(y, x) : -1;
    return cube && place >= 0 ? [cube.direction(place)] : [];
  });
  return directions.length ? meanDirection(directions) : null;
}

/**
 * What is like some clicked places on a slice: a layer, and the nearest places.
 *
 * @param {Slice} slice
 * @param {Float64Array} direction
 * @param {Spot[]} spots
 * @param {number} patch
 */
export function findSimilar(slice, direction, spots, patch) {
  const { cube } = slice;
  if (!cube) return null;
  const cosines = cube.project(direction);
  const leftOut = spots.filter(({ z }) => z === slice.z);
  /** @type {Found[]} */
  const nearest = nearestPlaces(cube, cosines, leftOut, patch, NEAREST);
  const numbers = new Uint8Array(cube.grid.size);
  for (let i = 0; i < cube.n; i++) {
    numbers[cube.elements[i]] = 1 + Math.round(254 * Math.min(1, Math.max(0, cosines[i])));
  }
  const about = { key: "similar", title: "Similarity", group: "Clicks", grid: cube.grid };
  const layer = valuesLayer(about, numbers, SIMILARITY_STOPS, 1, {
    low: Math.min(254, quantile(numbers, FAINTEST)),
    top: 255,
    note: "cosine; the less similar half is left clear",
  });
  return { layer, nearest: nearest.map((spot) => ({ ...spot, z: slice.z })) };
}
