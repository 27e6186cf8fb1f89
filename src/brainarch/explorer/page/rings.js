/**
 * Outlines of the areas of a map of codes: closed rings along the sides of its elements.
 *
 * @typedef {[number, number][]} Ring  (x, y) corners in grid elements; the last one is the first
 * @typedef {Ring[]} Polygon  the outer ring, then those of the holes
 */

/** Steps of the four directions, in the order of a right turn: east, south, west, north. */
const STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]]; // prettier-ignore

/**
 * The polygons of every code: one for each part whose elements touch along a side.
 *
 * @param {Uint8Array} codes  row after row
 * @param {number} rows
 * @param {number} columns
 * @returns {Map<number, Polygon[]>}  by code, 0 left out
 */
export function tracePolygons(codes, rows, columns) {
  const { parts, codeOf } = labelParts(codes, rows, columns);
  /** @type {Map<number, Polygon[]>} */
  const polygons = new Map();
  for (const [part, rings] of traceRings(parts, rows, columns)) {
    const outerFirst = rings.sort((a, b) => signedArea(b) - signedArea(a));
    const own = polygons.get(codeOf[part]) ?? [];
    own.push(outerFirst);
    polygons.set(codeOf[part], own);
  }
  return polygons;
}

/**
 * Number the parts of equal codes whose elements touch along a side: 1, 2 ...; 0 where the code is.
 *
 * @param {Uint8Array} codes
 * @param {number} rows
 * @param {number} columns
 */
function labelParts(codes, rows, columns) {
  const parts = new Int32Array(codes.length);
  const codeOf = [0];
  /** @type {number[]} */
  const waiting = [];
  for (let start = 0; start < codes.length; start++) {
    if (!codes[start] || parts[start]) continue;
    const part = codeOf.push(codes[start]) - 1;
    parts[start] = part;
    waiting.push(start);
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      const column = index % columns;
      const row = (index - column) / columns;
      for (const [dx, dy] of STEPS) {
        if (column + dx < 0 || column + dx >= columns || row + dy < 0 || row + dy >= rows) continue;
        const next = index + dy * columns + dx;
        if (codes[next] === codes[start] && !parts[next]) {
          parts[next] = part;
          waiting.push(next);
        }
      }
    }
  }
  return { parts, codeOf };
}

/**
 * The rings of every part, the part on the right-hand side of the way. Where two elements of a
 * part touch at a corner alone, the way goes on to the other one, so that no ring meets itself.
 *
 * @param {Int32Array} parts
 * @param {number} rows
 * @param {number} columns
 * @returns {Map<number, Ring[]>}
 */
function traceRings(parts, rows, columns) {
  /** @param {number} y @param {number} x */
  const at = (y, x) => (y < 0 || x < 0 || y >= rows || x >= columns ? 0 : parts[y * columns + x]);
  // the sides of an element: where the way along it starts, which way it goes, what is beyond
  const sides = [[0, 0, 0, -1], [1, 0, 1, 0], [1, 1, 0, 1], [0, 1, -1, 0]]; // prettier-ignore
  const visited = new Uint8Array(parts.length * 4);
  /** @type {Map<number, Ring[]>} */
  const found = new Map();
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index];
    if (!part) continue;
    const y = Math.floor(index / columns);
    const x = index % columns;
    for (let side = 0; side < 4; side++) {
      const [, , beyondX, beyondY] = sides[side];
      if (visited[index * 4 + side] || at(y + beyondY, x + beyondX) === part) continue;
      const rings = found.get(part) ?? [];
      rings.push(follow(y, x, side, part));
      found.set(part, rings);
    }
  }
  return found;

  /** @param {number} y @param {number} x @param {number} side @param {number} part */
  function follow(y, x, side, part) {
    /** @type {Ring} */
    const ring = [];
    let before = -1;
    while (!visited[(y * columns + x) * 4 + side]) {
      visited[(y * columns + x) * 4 + side] = 1;
      if (side !== before) ring.push([x + sides[side][0], y + sides[side][1]]);
      before = side;
      const [dx, dy] = STEPS[side];
      const [outX, outY] = STEPS[(side + 3) % 4];
      if (at(y + dy + outY, x + dx + outX) === part) {
        y += dy + outY;
        x += dx + outX;
        side = (side + 3) % 4;
      } else if (at(y + dy, x + dx) === part) {
        y += dy;
        x += dx;
      } else {
        side = (side + 1) % 4;
      }
    }
    if (side === before) ring.shift(); // the way began in the middle of a line
    ring.push([...ring[0]]);
    return ring;
  }
}

/** @param {Ring} ring */
export function signedArea(ring) {
  let twice = 0;
  for (let i = 1; i < ring.length; i++) {
    twice += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
  }
  return twice / 2;
}

/**
 * A closed ring with fewer corners, none farther than a tolerance from the line that replaces it.
 *
 * @param {Ring} ring
 * @param {number} tolerance
 * @returns {Ring}
 */
export function simplify(ring, tolerance) {
  const keep = new Uint8Array(ring.length);
  keep[0] = keep[ring.length - 1] = 1;
  let far = 0;
  for (let i = 1; i < ring.length; i++) {
    if (distance(ring[i], ring[0]) > distance(ring[far], ring[0])) far = i;
  }
  keep[far] = 1;
  const spans = [[0, far], [far, ring.length - 1]]; // prettier-ignore
  for (let span = spans.pop(); span; span = spans.pop()) {
    const [from, to] = span;
    let worst = -1;
    let most = tolerance;
    for (let i = from + 1; i < to; i++) {
      const off = offLine(ring[i], ring[from], ring[to]);
      if (off > most) [worst, most] = [i, off];
    }
    if (worst < 0) continue;
    keep[worst] = 1;
    spans.push([from, worst], [worst, to]);
  }
  return ring.filter((_, i) => keep[i]);
}

/** @param {[number, number]} a @param {[number, number]} b */
function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** @param {[number, number]} point @param {[number, number]} a @param {[number, number]} b */
function offLine(point, a, b) {
  const length = distance(a, b);
  if (length === 0) return distance(point, a);
  const cross = (b[0] - a[0]) * (a[1] - point[1]) - (a[0] - point[0]) * (b[1] - a[1]);
  return Math.abs(cross) / length;
}
