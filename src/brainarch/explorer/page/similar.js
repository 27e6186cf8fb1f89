/** @import {Cube} from "./cube.js" */
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
 * @param {Map<number, Cube>} cubes  by slice
 */
export function asked(spots, cubes) {
  const directions = spots.flatMap(({ z, y, x }) => {
    const cube = cubes.get(z);
    const place = cube ? cube.placeAt(y, x) : -1;
    return cube && place >= 0 ? [cube.direction(place)] : [];
  });
  return directions.length ? meanDirection(directions) : null;
}

/**
 * What is like some clicked places on a slice: a layer, and the nearest places.
 *
 * @param {number} z
 * @param {Cube} cube
 * @param {Float64Array} direction
 * @param {Spot[]} spots
 * @param {number} patch
 */
export function findSimilar(z, cube, direction, spots, patch) {
  const cosines = cube.project(direction);
  const leftOut = spots.filter((spot) => spot.z === z);
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
  return { layer, nearest: nearest.map((spot) => ({ ...spot, z })) };
}
