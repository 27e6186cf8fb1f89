/** Colours: from names of the page's legends to 8-bit red, green, blue, opacity. */

/** @param {string} hex  #RRGGBB */
export function rgbOf(hex) {
  return [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16));
}

/**
 * A colour as one 32-bit number in the byte order of canvases (little-endian).
 *
 * @param {number[]} rgb
 * @param {number} [opacity]  0 ... 255
 */
export function packed([red, green, blue], opacity = 255) {
  return ((opacity << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * The colour at a share of the way along stops.
 *
 * @param {string[]} stops
 * @param {number} share  0 ... 1
 */
export function between(stops, share) {
  const position = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(Math.floor(position), stops.length - 2);
  const [a, b] = [rgbOf(stops[low]), rgbOf(stops[low + 1])];
  return a.map((part, i) => Math.round(part + (b[i] - part) * (position - low)));
}

/**
 * Colours of codes: none for 0 and for codes beyond the legend.
 *
 * @param {{colour: string}[]} legend
 */
export function codeTable(legend) {
  const table = new Uint32Array(256);
  legend.forEach((entry, i) => (table[i + 1] = packed(rgbOf(entry.colour))));
  return table;
}

/**
 * Colours of numbers 1 ... 255 from low to high; low ones let the tissue through.
 *
 * @param {string[]} stops
 * @param {number} low  number of the first colour
 * @param {number} high  number of the last colour
 */
export function valueTable(stops, low, high) {
  const table = new Uint32Array(256);
  for (let number = 1; number < 256; number++) {
    const share = Math.min(1, Math.max(0, (number - low) / Math.max(1, high - low)));
    table[number] = packed(between(stops, share), Math.round(255 * Math.min(1, 1.6 * share)));
  }
  return table;
}

/**
 * The number below which a share of the numbers from 1 lies.
 *
 * @param {Uint8Array} numbers
 * @param {number} share
 */
export function quantile(numbers, share) {
  const counts = new Float64Array(256);
  for (const number of numbers) counts[number]++;
  let left = share * (numbers.length - counts[0]);
  for (let number = 1; number < 256; number++) {
    left -= counts[number];
    if (left <= 0) return number;
  }
  return 255;
}
