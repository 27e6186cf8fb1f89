// built by make page; SHA-256 of page/*.js: a46311e3f118cb309c843305c70b8d20351ffdf0d1ea20aa1a240ba33374fe83
"use strict";
(() => {
  // dom.js
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (typeof value === "function") element.addEventListener(name, value);
      else if (/^(class|data-|aria-|role$|style$|for$)/.test(name)) element.setAttribute(name, value);
      else Reflect.set(element, name, value);
    }
    element.append(...children.filter((child) => child != null));
    return element;
  }
  function byId(id) {
    const element = document.getElementById(id);
    if (!element) throw new Error(`${id}: no such element`);
    return element;
  }
  function swatch(colour) {
    return make("span", { class: "swatch", style: `background:${colour}` });
  }
  var silence = 0;
  function say(text) {
    byId("said").textContent = text;
    clearTimeout(silence);
    silence = window.setTimeout(() => byId("said").textContent = "", 4e3);
  }

  // colours.js
  function rgbOf(hex) {
    return [1, 3, 5].map((start2) => Number.parseInt(hex.slice(start2, start2 + 2), 16));
  }
  function packed([red, green, blue], opacity = 255) {
    return (opacity << 24 | blue << 16 | green << 8 | red) >>> 0;
  }
  function between(stops, share) {
    const position = Math.min(1, Math.max(0, share)) * (stops.length - 1);
    const low = Math.min(Math.floor(position), stops.length - 2);
    const [a, b] = [rgbOf(stops[low]), rgbOf(stops[low + 1])];
    return a.map((part, i) => Math.round(part + (b[i] - part) * (position - low)));
  }
  function codeTable(legend2) {
    const table = new Uint32Array(256);
    legend2.forEach((entry, i) => table[i + 1] = packed(rgbOf(entry.colour)));
    return table;
  }
  function valueTable(stops, low, high) {
    const table = new Uint32Array(256);
    for (let number = 1; number < 256; number++) {
      const share = Math.min(1, Math.max(0, (number - low) / Math.max(1, high - low)));
      table[number] = packed(between(stops, share), Math.round(255 * Math.min(1, 1.6 * share)));
    }
    return table;
  }
  function quantile(numbers2, share) {
    const counts = new Float64Array(256);
    for (const number of numbers2) counts[number]++;
    let left = share * (numbers2.length - counts[0]);
    for (let number = 1; number < 256; number++) {
      left -= counts[number];
      if (left <= 0) return number;
    }
    return 255;
  }

  // grid.js
  var Grid = class {
    /** @param {GridShape} shape */
    constructor({ y0, x0, step, rows, columns }) {
      this.y0 = y0;
      this.x0 = x0;
      this.step = step;
      this.rows = rows;
      this.columns = columns;
    }
    get size() {
      return this.rows * this.columns;
    }
    /**
     * The element nearest to a pixel, or -1 if the pixel lies beyond the grid.
     *
     * @param {number} y
     * @param {number} x
     */
    indexAt(y, x) {
      const row = Math.floor((y - this.y0) / this.step + 0.5);
      const column = Math.floor((x - this.x0) / this.step + 0.5);
      if (row < 0 || column < 0 || row >= this.rows || column >= this.columns) return -1;
      return row * this.columns + column;
    }
    /** @param {number} index */
    yOf(index) {
      return this.y0 + Math.floor(index / this.columns) * this.step;
    }
    /** @param {number} index */
    xOf(index) {
      return this.x0 + index % this.columns * this.step;
    }
    /**
     * The rectangle that the elements cover, in pixels of the slice whose corner is (0, 0): an
     * element covers a square of one step round the middle of its pixel.
     */
    box() {
      return {
        x: this.x0 + 0.5 - this.step / 2,
        y: this.y0 + 0.5 - this.step / 2,
        width: this.columns * this.step,
        height: this.rows * this.step
      };
    }
  };

  // rings.js
  var STEPS = [[1, 0], [0, 1], [-1, 0], [0, -1]];
  function tracePolygons(codes, rows, columns) {
    const { parts, codeOf } = labelParts(codes, rows, columns);
    const polygons = /* @__PURE__ */ new Map();
    for (const [part, rings] of traceRings(parts, rows, columns)) {
      const outerFirst = rings.sort((a, b) => signedArea(b) - signedArea(a));
      const own = polygons.get(codeOf[part]) ?? [];
      own.push(outerFirst);
      polygons.set(codeOf[part], own);
    }
    return polygons;
  }
  function labelParts(codes, rows, columns) {
    const parts = new Int32Array(codes.length);
    const codeOf = [0];
    const waiting = [];
    for (let start2 = 0; start2 < codes.length; start2++) {
      if (!codes[start2] || parts[start2]) continue;
      const part = codeOf.push(codes[start2]) - 1;
      parts[start2] = part;
      waiting.push(start2);
      for (let index = waiting.pop(); index !== void 0; index = waiting.pop()) {
        const column = index % columns;
        const row = (index - column) / columns;
        for (const [dx, dy] of STEPS) {
          if (column + dx < 0 || column + dx >= columns || row + dy < 0 || row + dy >= rows) continue;
          const next = index + dy * columns + dx;
          if (codes[next] === codes[start2] && !parts[next]) {
            parts[next] = part;
            waiting.push(next);
          }
        }
      }
    }
    return { parts, codeOf };
  }
  function traceRings(parts, rows, columns) {
    const at = (y, x) => y < 0 || x < 0 || y >= rows || x >= columns ? 0 : parts[y * columns + x];
    const sides = [[0, 0, 0, -1], [1, 0, 1, 0], [1, 1, 0, 1], [0, 1, -1, 0]];
    const visited = new Uint8Array(parts.length * 4);
    const found = /* @__PURE__ */ new Map();
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
    function follow(y, x, side, part) {
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
      if (side === before) ring.shift();
      ring.push([...ring[0]]);
      return ring;
    }
  }
  function signedArea(ring) {
    let twice = 0;
    for (let i = 1; i < ring.length; i++) {
      twice += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1];
    }
    return twice / 2;
  }
  function simplify(ring, tolerance) {
    const keep = new Uint8Array(ring.length);
    keep[0] = keep[ring.length - 1] = 1;
    let far = 0;
    for (let i = 1; i < ring.length; i++) {
      if (distance(ring[i], ring[0]) > distance(ring[far], ring[0])) far = i;
    }
    keep[far] = 1;
    const spans = [[0, far], [far, ring.length - 1]];
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
  function distance(a, b) {
    return Math.hypot(a[0] - b[0], a[1] - b[1]);
  }
  function offLine(point, a, b) {
    const length = distance(a, b);
    if (length === 0) return distance(point, a);
    const cross = (b[0] - a[0]) * (a[1] - point[1]) - (a[0] - point[0]) * (b[1] - a[1]);
    return Math.abs(cross) / length;
  }

  // layer.js
  var SIMILARITY_STOPS = ["#1B0C41", "#4A0C6B", "#A52C60", "#ED6925", "#F7D13D", "#FCFFA4"];
  var BRIGHTEST = 0.995;
  var Layer = class {
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
    constructor(key, title, group2, shape, pixels, about) {
      this.key = key;
      this.title = title;
      this.group = group2;
      this.grid = new Grid(shape);
      this.pixels = pixels;
      this.legend = about.legend;
      this.scale = about.scale;
      this.smooth = about.smooth ?? false;
      this.note = about.note ?? "";
      this.tell = about.tell;
      this.outlines = about.outlines;
      this.dashes = about.dashes ?? [];
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
  };
  function coloured(numbers2, table) {
    const pixels = new Uint32Array(numbers2.length);
    for (let i = 0; i < numbers2.length; i++) pixels[i] = table[numbers2[i]];
    return pixels;
  }
  function codesLayer({ key, title, group: group2, grid }, codes, legend2, note) {
    const table = codeTable(legend2);
    const there = new Set(codes);
    return new Layer(key, title, group2, grid, coloured(codes, table), {
      legend: legend2.filter((_, i) => there.has(i + 1)),
      note,
      tell: (index) => legend2[codes[index] - 1]?.title ?? ""
    });
  }
  function outlinesLayer({ key, title, group: group2, grid }, codes, legend2, dashes) {
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
    return new Layer(key, title, group2, grid, new Uint32Array(), {
      outlines,
      dashes,
      tell: (index) => legend2[codes[index] - 1]?.title ?? ""
    });
  }
  function valuesLayer({ key, title, group: group2, grid }, numbers2, stops, high, options = {}) {
    const low = options.low ?? 1;
    const top = options.top ?? Math.max(low + 1, quantile(numbers2, BRIGHTEST));
    const table = valueTable(stops, low, top);
    const text = (number) => ((number - 1) / 254 * high).toPrecision(3);
    return new Layer(key, title, group2, grid, coloured(numbers2, table), {
      scale: { stops, low: text(low), high: text(top) },
      smooth: true,
      note: options.note,
      tell: (index) => numbers2[index] ? text(numbers2[index]) : ""
    });
  }
  function rgbLayer({ key, title, group: group2, grid }, parts, titles) {
    const tables = parts.map((part) => {
      const [low, high] = [quantile(part, 0.01), quantile(part, BRIGHTEST)];
      return Float64Array.from(
        { length: 256 },
        (_, q) => Math.min(255, Math.max(0, 255 * (q - low) / Math.max(1, high - low)))
      );
    });
    const pixels = new Uint32Array(grid.rows * grid.columns);
    for (let i = 0; i < pixels.length; i++) {
      if (parts[0][i]) pixels[i] = packed(parts.map((part, channel) => tables[channel][part[i]]));
    }
    const colours = ["#FF0000", "#00FF00", "#0000FF"];
    return new Layer(key, title, group2, grid, pixels, {
      legend: titles.map((name, i) => ({ name, title: name, colour: colours[i] })),
      smooth: true,
      tell: () => ""
    });
  }
  function gradient(stops) {
    return `linear-gradient(to right, ${stops.join(", ")})`;
  }

  // ridge.js
  var ALPHA = 0.03;
  function fitRidge(rows, names, count, alpha = ALPHA) {
    const p = rows[0].length;
    const mean = new Float64Array(p);
    for (const row of rows) for (let u = 0; u < p; u++) mean[u] += row[u] / rows.length;
    const matrix = Array.from({ length: p }, () => new Float64Array(p));
    for (const row of rows) {
      for (let u = 0; u < p; u++) {
        for (let v = 0; v <= u; v++) matrix[u][v] += (row[u] - mean[u]) * (row[v] - mean[v]);
      }
    }
    for (let u = 0; u < p; u++) matrix[u][u] += alpha;
    choleskyInPlace(matrix);
    const weights = [];
    const intercepts = [];
    for (let name = 0; name < count; name++) {
      const targets = names.map((own) => own === name ? 1 : -1);
      const average = targets.reduce((sum, value) => sum + value, 0) / targets.length;
      const right = new Float64Array(p);
      rows.forEach((row, i) => {
        for (let u = 0; u < p; u++) right[u] += (row[u] - mean[u]) * (targets[i] - average);
      });
      const solved = solveWith(matrix, right);
      weights.push(solved);
      intercepts.push(average - solved.reduce((sum, value, u) => sum + value * mean[u], 0));
    }
    return { weights, intercepts };
  }
  function choleskyInPlace(matrix) {
    for (let u = 0; u < matrix.length; u++) {
      for (let v = 0; v <= u; v++) {
        let sum = matrix[u][v];
        for (let k = 0; k < v; k++) sum -= matrix[u][k] * matrix[v][k];
        matrix[u][v] = u === v ? Math.sqrt(sum) : sum / matrix[v][v];
      }
    }
  }
  function solveWith(factor, right) {
    const p = right.length;
    const solved = Float64Array.from(right);
    for (let u = 0; u < p; u++) {
      for (let k = 0; k < u; k++) solved[u] -= factor[u][k] * solved[k];
      solved[u] /= factor[u][u];
    }
    for (let u = p - 1; u >= 0; u--) {
      for (let k = u + 1; k < p; k++) solved[u] -= factor[k][u] * solved[k];
      solved[u] /= factor[u][u];
    }
    return solved;
  }
  function decide(scores) {
    const n = scores[0].length;
    const names = new Uint8Array(n);
    const margins = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      let best = 0;
      let second = -1;
      for (let name = 1; name < scores.length; name++) {
        if (scores[name][i] > scores[best][i]) {
          second = best;
          best = name;
        } else if (second < 0 || scores[name][i] > scores[second][i]) {
          second = name;
        }
      }
      names[i] = best;
      margins[i] = second < 0 ? 1 : (scores[best][i] - scores[second][i]) / 2;
    }
    return { names, margins };
  }

  // naming.js
  var MARGIN_STOPS = ["#12294A", "#1F4E82", "#3F7FB5", "#8FB8D8", "#D6E4F0", "#FFFFFF"];
  function fitNames(spots, count, cubes) {
    const rows = [];
    const names = [];
    for (const { z, y, x, name } of spots) {
      const cube = cubes.get(z);
      const place2 = cube ? cube.placeAt(y, x) : -1;
      if (!cube || place2 < 0) continue;
      rows.push(cube.direction(place2));
      names.push(name);
    }
    return new Set(names).size < 2 ? null : fitRidge(rows, names, count);
  }
  function countRight(cube, codes, names, areas) {
    let [right, annotated] = [0, 0];
    for (let i = 0; i < cube.n; i++) {
      const title = areas.at(cube.y[i], cube.x[i]);
      if (!title) continue;
      annotated++;
      if (names[codes[cube.elements[i]] - 1]?.title === title) right++;
    }
    return { right, annotated };
  }
  function paintNames(cube, fitted, spots, legend2) {
    const used = [...new Set(spots.map(({ name }) => name))].sort((a, b) => a - b);
    const scores = used.map((name) => {
      const sums = cube.project(fitted.weights[name]);
      for (let i = 0; i < sums.length; i++) sums[i] += fitted.intercepts[name];
      return sums;
    });
    const { names, margins } = decide(scores);
    const codes = new Uint8Array(cube.grid.size);
    const sure = new Uint8Array(cube.grid.size);
    for (let i = 0; i < cube.n; i++) {
      codes[cube.elements[i]] = used[names[i]] + 1;
      sure[cube.elements[i]] = 1 + Math.round(254 * Math.min(1, margins[i]));
    }
    const about = { group: "Clicks", grid: cube.grid };
    return {
      codes,
      named: codesLayer({ ...about, key: "named", title: "Your names" }, codes, legend2),
      margin: valuesLayer(
        { ...about, key: "margin", title: "Lead of your names" },
        sure,
        MARGIN_STOPS,
        1,
        { note: "how far the best name is ahead of the second; 1 is as sure as a clicked place" }
      )
    };
  }

  // cube.js
  var BLOCK = 2048;
  var Cube = class {
    /**
     * @param {GridShape} shape
     * @param {Uint8Array} extracted  of every element of the grid, whether it is a place
     * @param {Uint8Array} units  unit after unit, places in raster order
     * @param {number[]} scale
     */
    constructor(shape, extracted, units, scale) {
      this.grid = new Grid(shape);
      this.units = units;
      this.scale = scale;
      this.placeOf = new Int32Array(this.grid.size).fill(-1);
      const elements = [];
      for (let index = 0; index < extracted.length; index++) {
        if (extracted[index]) this.placeOf[index] = elements.push(index) - 1;
      }
      this.n = elements.length;
      this.elements = Int32Array.from(elements);
      this.y = Int32Array.from(elements, (index) => this.grid.yOf(index));
      this.x = Int32Array.from(elements, (index) => this.grid.xOf(index));
      this.lengths = this.#measureLengths();
    }
    #measureLengths() {
      const sums = new Float64Array(this.n);
      for (let u = 0; u < this.scale.length; u++) {
        const square = this.scale[u] ** 2;
        if (square === 0) continue;
        const start2 = u * this.n;
        for (let i = 0; i < this.n; i++) sums[i] += square * this.units[start2 + i] ** 2;
      }
      return sums.map(Math.sqrt);
    }
    /**
     * The place whose square holds a pixel, or -1.
     *
     * @param {number} y
     * @param {number} x
     */
    placeAt(y, x) {
      const index = this.grid.indexAt(y, x);
      return index < 0 ? -1 : this.placeOf[index];
    }
    /**
     * The representation at a place, of unit length (all zero where it is zero).
     *
     * @param {number} place
     */
    direction(place2) {
      const length = this.lengths[place2] || 1;
      return Float64Array.from(
        this.scale,
        (step, u) => step * this.units[u * this.n + place2] / length
      );
    }
    /**
     * Weighted sum of unit-length units at every place: with a direction, the cosine to it.
     *
     * @param {ArrayLike<number>} weights
     */
    project(weights) {
      const sums = new Float64Array(this.n);
      const { n, units } = this;
      for (let from = 0; from < n; from += BLOCK) {
        const to = Math.min(n, from + BLOCK);
        for (let u = 0; u < this.scale.length; u++) {
          const weight = weights[u] * this.scale[u];
          if (weight === 0) continue;
          const start2 = u * n;
          for (let i = from; i < to; i++) sums[i] += weight * units[start2 + i];
        }
      }
      for (let i = 0; i < n; i++) sums[i] /= this.lengths[i] || 1;
      return sums;
    }
  };
  function meanDirection(directions) {
    const mean = new Float64Array(directions[0].length);
    for (const direction of directions) {
      for (let u = 0; u < mean.length; u++) mean[u] += direction[u];
    }
    const length = Math.hypot(...mean) || 1;
    return mean.map((value) => value / length);
  }

  // nearest.js
  function nearestPlaces(cube, cosines, leftOut, patch, count) {
    const taken = [...leftOut];
    const found = [];
    const open = new Uint8Array(cube.n).fill(1);
    for (const spot of taken) closeRound(cube, open, spot, patch);
    while (found.length < count) {
      let best = -1;
      for (let i = 0; i < cube.n; i++) {
        if (open[i] && (best < 0 || cosines[i] > cosines[best])) best = i;
      }
      if (best < 0) break;
      const spot = { z: -1, y: cube.y[best], x: cube.x[best], score: cosines[best] };
      found.push(spot);
      closeRound(cube, open, spot, patch);
    }
    return found;
  }
  function closeRound(cube, open, spot, patch) {
    const { grid, placeOf } = cube;
    const low = Math.max(0, Math.floor((spot.y - patch - grid.y0) / grid.step));
    const high = Math.min(grid.rows, Math.ceil((spot.y + patch - grid.y0) / grid.step) + 1);
    for (let element = low * grid.columns; element < high * grid.columns; element++) {
      const i = placeOf[element];
      if (i < 0) continue;
      if (Math.abs(cube.y[i] - spot.y) < patch && Math.abs(cube.x[i] - spot.x) < patch) open[i] = 0;
    }
  }

  // similar.js
  var NEAREST = 12;
  var FAINTEST = 0.5;
  function asked(spots, cubes) {
    const directions = spots.flatMap(({ z, y, x }) => {
      const cube = cubes.get(z);
      const place2 = cube ? cube.placeAt(y, x) : -1;
      return cube && place2 >= 0 ? [cube.direction(place2)] : [];
    });
    return directions.length ? meanDirection(directions) : null;
  }
  function findSimilar(z, cube, direction, spots, patch) {
    const cosines = cube.project(direction);
    const leftOut = spots.filter((spot) => spot.z === z);
    const nearest = nearestPlaces(cube, cosines, leftOut, patch, NEAREST);
    const numbers2 = new Uint8Array(cube.grid.size);
    for (let i = 0; i < cube.n; i++) {
      numbers2[cube.elements[i]] = 1 + Math.round(254 * Math.min(1, Math.max(0, cosines[i])));
    }
    const about = { key: "similar", title: "Similarity", group: "Clicks", grid: cube.grid };
    const layer = valuesLayer(about, numbers2, SIMILARITY_STOPS, 1, {
      low: Math.min(254, quantile(numbers2, FAINTEST)),
      top: 255,
      note: "cosine; the less similar half is left clear"
    });
    return { layer, nearest: nearest.map((spot) => ({ ...spot, z })) };
  }

  // blocks.js
  function fromBase64(text) {
    const raw = atob(text);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    return bytes;
  }
  async function inflate(bytes) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }
  var Blocks = class {
    /** @param {Document} document */
    constructor(document2) {
      this.document = document2;
    }
    /**
     * @param {string} name
     * @returns {Uint8Array<ArrayBuffer>}
     */
    take(name) {
      const element = this.document.getElementById(`block-${name}`);
      if (!element) throw new Error(`${name}: this part of the page is missing`);
      const bytes = fromBase64(element.textContent ?? "");
      element.remove();
      return bytes;
    }
    /**
     * @param {string} name
     * @returns {Promise<Uint8Array<ArrayBuffer>>}
     */
    async read(name) {
      return inflate(this.take(name));
    }
  };

  // slice.js
  var Slice = class {
    /**
     * @param {SliceData} data
     * @param {PageData} page
     * @param {Blocks} blocks
     */
    constructor(data, page2, blocks2) {
      this.data = data;
      this.page = page2;
      this.blocks = blocks2;
      this.z = data.z;
      this.parts = /* @__PURE__ */ new Map();
      this.layers = /* @__PURE__ */ new Map();
      this.ready = /* @__PURE__ */ new Map();
      this.image = null;
      this.network = page2.networks[0]?.name ?? "";
      this.loading = /* @__PURE__ */ new Map();
      this.held = /* @__PURE__ */ new Map();
      this.address = "";
      this.picture = void 0;
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
        [cube.extracted, cube.units, cube.principal].map((name) => inflate(this.blocks.take(name)))
      );
      this.held.set(network, {
        cube: new Cube(cube.grid, extracted, units, cube.scale),
        principal: new Uint16Array(principal.buffer)
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
      const shown = this.data.layers.map(({ key, title, group: group2 }) => ({ key, title, group: group2 }));
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
      return this.data.layers.filter(({ group: group2 }) => group2 === "Factors");
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
        const data2 = this.#data("areas");
        const about = { ...data2, key, title: "Outlines of areas" };
        return outlinesLayer(about, await this.#part(data2.block), data2.legend ?? []);
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
      const numbers2 = await this.#part(data.block);
      if (data.kind === "codes") return codesLayer(data, numbers2, data.legend ?? []);
      return valuesLayer(data, numbers2, data.stops ?? [], data.high ?? 1, { note: data.note });
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
        const numbers2 = new Uint8Array(cube.grid.size);
        for (let i = 0; i < cube.n; i++) {
          const score = component < count ? principal[component * cube.n + i] : 0;
          numbers2[cube.elements[i]] = 1 + Math.round(score / 65535 * 254);
        }
        return numbers2;
      });
      const shares = this.page.networks.find(({ name }) => name === network)?.shares ?? [];
      const titles = shares.map(
        (share, i) => `Component ${i + 1} (${(100 * share).toFixed(0)} % of variance)`
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
          numbers: await this.#part(block)
        }))
      );
    }
    /**
     * The three factors that are strongest at a pixel, as text.
     *
     * @param {number} y
     * @param {number} x
     */
    strongestFactors(y, x) {
      const found = this.factorNumbers.flatMap(({ title, step, grid, numbers: numbers2 }) => {
        const index = grid.indexAt(y, x);
        const value = index < 0 ? 0 : (numbers2[index] - 1) * step;
        return value > 0 ? [{ title, value }] : [];
      });
      found.sort((a, b) => b.value - a.value);
      return found.slice(0, 3).map(({ title, value }) => `${title} ${value.toPrecision(2)}`);
    }
  };

  // state.js
  function toFragment(view) {
    const parts = [];
    if (view.z !== void 0) parts.push(`z=${view.z}`);
    if (view.network) parts.push(`by=${encodeURIComponent(view.network)}`);
    if (view.at) parts.push(`at=${view.at.map((value) => +value.toPrecision(6)).join(",")}`);
    if (view.layers) {
      parts.push(`layers=${view.layers.map(([key, share]) => `${key}:${share}`).join(",")}`);
    }
    if (view.beside) parts.push(`beside=${view.beside}`);
    if (view.rgb) parts.push(`rgb=${view.rgb.join(",")}`);
    if (view.like?.length) parts.push(`like=${view.like.map((spot) => spot.join(".")).join(",")}`);
    return `#${parts.join("&")}`;
  }
  function fromFragment(fragment) {
    const parts = new Map(
      fragment.replace(/^#/, "").split("&").map((part) => {
        const sign = part.indexOf("=");
        return [part.slice(0, sign), part.slice(sign + 1)];
      })
    );
    const view = {};
    const z = numbers(parts.get("z"), 1);
    if (z) view.z = z[0];
    const network = parts.get("by");
    if (network) view.network = decoded(network);
    const at = numbers(parts.get("at"), 3);
    if (at && at[2] > 0) view.at = [at[0], at[1], at[2]];
    const layers = parts.get("layers");
    if (layers !== void 0) {
      view.layers = layers.split(",").flatMap((text) => {
        const found = /^([a-z0-9]+):(\d{1,3})$/.exec(text);
        return found ? [[found[1], Math.min(100, Number(found[2]))]] : [];
      });
    }
    const beside = parts.get("beside");
    if (beside && /^[a-z0-9]+$/.test(beside)) view.beside = beside;
    const rgb = numbers(parts.get("rgb"), 3);
    if (rgb) view.rgb = rgb;
    view.like = (parts.get("like") ?? "").split(",").flatMap((text) => {
      const spot = numbers(text.replaceAll(".", ","), 3);
      return spot ? [[spot[0], spot[1], spot[2]]] : [];
    });
    return view;
  }
  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }
  function numbers(text, count) {
    const found = (text ?? "").split(",").map(Number);
    return text && found.length === count && found.every(Number.isFinite) ? found : void 0;
  }

  // app.js
  var OPACITY = 60;
  var FIRST = ["predicted", "outlines", "extracted"];
  var LINES = ["outlines", "extracted"];
  var UNLINKED = ["named", "margin", "marked"];
  var TOLD = ["areas", "predicted", "layers", "confidence", "clusters", "components"];
  var App = class extends EventTarget {
    /**
     * @param {PageData} page
     * @param {Slice[]} slices
     * @param {SliceViewer} viewer
     */
    constructor(page2, slices2, viewer2) {
      super();
      this.page = page2;
      this.slices = slices2;
      this.viewer = viewer2;
      this.slice = slices2[0];
      this.network = page2.networks[0]?.name ?? "";
      this.shown = /* @__PURE__ */ new Map();
      this.beside = "";
      this.rgb = [1, 2, 3];
      this.tool = "look";
      this.clicked = [];
      this.nearest = /* @__PURE__ */ new Map();
      this.names = page2.areas.map((entry) => ({ ...entry }));
      this.name = 0;
      this.named = [];
      this.namedCodes = /* @__PURE__ */ new Map();
      this.marked = new Uint8Array();
      this.made = /* @__PURE__ */ new Map();
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
      for (
        const [key, opacity] of
        /** @type {[string, number][]} */
        first
      ) {
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
      const cubes = /* @__PURE__ */ new Map();
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
    #unmake(keys2) {
      for (const name of [...this.made.keys()]) {
        if (keys2.some((key) => name.endsWith(`/${key}`))) this.made.delete(name);
      }
    }
    /** The slice that a comparison names, as `z204`; undefined if it names a layer. */
    sliceOf(beside) {
      return this.slices.find(({ z }) => `z${z}` === beside);
    }
    /** The network that a comparison names, as `n1` its place in the list. @param {string} beside */
    networkOf(beside) {
      return this.page.networks.find((_, i) => `n${i}` === beside);
    }
    /** Layers that can be switched on, those that clicks made included. */
    list() {
      const made = [...this.made].filter(([name]) => name.startsWith(`${this.network}/${this.slice.z}/`)).map(([, { key, title, group: group2 }]) => ({ key, title, group: group2 }));
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
        const lines = [...this.shown].filter(([key]) => LINES.includes(key));
        const same = other || network;
        beside = {
          layers: await this.#collect(
            other ?? this.slice,
            same ? [...this.shown] : [[this.beside, 70], ...lines],
            network ?? this.network
          ),
          image: other ? other.image : null,
          network: network !== void 0
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
          const layer = made ?? await slice.layer(key, this.rgb, network).catch(() => null);
          return layer && { layer, opacity: percent / 100 };
        })
      );
      return layers.filter((entry) => entry !== null);
    }
    #frames() {
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
      this.clicked = [...more ? this.clicked : [], { z, ...pixel }];
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
        cube.elements.forEach((element, i) => codes[element] = marked[i]);
        const legend2 = [{ name: "marked", title: "Marked places", colour: "#FF3DF2" }];
        const about = { key: "marked", title: "Marked places", group: "Clicks", grid: cube.grid };
        this.made.set(name, codesLayer(about, codes, legend2));
      } else {
        this.made.delete(name);
      }
      this.tell("marked");
      await this.show("marked", some ? this.shown.get("marked") ?? 75 : null);
    }
    // ------------------------------------------------------------------ link
    /** Keep the view in the address, a moment after the last change. */
    keepLink() {
      clearTimeout(this.writing);
      this.writing = window.setTimeout(() => {
        try {
          history.replaceState(null, "", this.link());
        } catch {
        }
      }, 250);
    }
    /** The part of the address that leads back to this view. */
    link() {
      const { x, y, scale } = this.viewer.middle();
      const view = {
        z: this.slice.z,
        at: [x, y, scale],
        network: this.network === this.page.networks[0]?.name ? void 0 : this.network,
        layers: [...this.shown].filter(([key]) => !UNLINKED.includes(key)),
        beside: this.beside,
        rgb: this.shown.has("rgb") ? this.rgb : void 0,
        like: this.clicked.map((spot) => [spot.z, spot.y, spot.x])
      };
      return toFragment(view);
    }
  };

  // pointer.js
  function watchPointer(app2) {
    const { osd, element } = app2.viewer;
    let waiting = false;
    element.addEventListener("pointermove", (event) => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        const box = element.getBoundingClientRect();
        tell(app2, app2.viewer.pixelAt(event.clientX - box.left, event.clientY - box.top));
      });
    });
    element.addEventListener("pointerleave", () => tell(app2, null));
    osd.addHandler("canvas-click", (event) => {
      if (!event.quick) return;
      const pixel = app2.viewer.pixelAt(event.position.x, event.position.y);
      const keys2 = (
        /** @type {PointerEvent} */
        event.originalEvent
      );
      if (pixel) act(app2, pixel, keys2.shiftKey);
    });
    osd.addHandler("canvas-press", (event) => {
      if (app2.tool === "mark") start2 = { x: event.position.x, y: event.position.y };
    });
    let start2 = null;
    osd.addHandler("canvas-drag", (event) => {
      if (!start2) return;
      event.preventDefaultAction = true;
      app2.viewer.band = between2(start2, event.position);
      app2.viewer.draw();
    });
    osd.addHandler("canvas-release", () => {
      const { band } = app2.viewer;
      start2 = null;
      if (!band) return;
      app2.viewer.band = null;
      markBand(app2, band);
    });
  }
  function act(app2, pixel, more) {
    if (app2.tool === "look") app2.ask(pixel, more);
    else if (app2.tool === "name") app2.point(pixel);
  }
  function between2(a, b) {
    return {
      x: Math.min(a.x, b.x),
      y: Math.min(a.y, b.y),
      width: Math.abs(a.x - b.x),
      height: Math.abs(a.y - b.y)
    };
  }
  function markBand(app2, band) {
    const { cube } = app2.slice;
    if (!cube) return;
    const { x, y, scale } = app2.viewer.placing();
    const [left, top] = [(band.x - x) / scale, (band.y - y) / scale];
    const [right, bottom] = [left + band.width / scale, top + band.height / scale];
    app2.mark(
      Uint8Array.from(
        { length: cube.n },
        (_, i) => cube.x[i] >= left && cube.x[i] < right && cube.y[i] >= top && cube.y[i] < bottom ? 1 : 0
      )
    );
  }
  var TOLD2 = [
    ["areas", "annotated"],
    ["predicted", "predicted"],
    ["layers", "layer"],
    ["clusters", "cluster"],
    ["components", "component"],
    ["named", "your name"],
    ["similar", "cosine"]
  ];
  function tell(app2, pixel) {
    const readout = byId("readout");
    readout.hidden = !pixel;
    if (!pixel) return;
    const { slice, page: page2 } = app2;
    const um = page2.pixel_um;
    const lines = [
      ["place", `x ${pixel.x} y ${pixel.y} px`],
      ["", `${(pixel.x * um).toFixed(0)}, ${(pixel.y * um).toFixed(0)} µm`]
    ];
    for (const [key, name] of TOLD2) {
      const layer = app2.madeLayer(slice.z, key) ?? slice.ready.get(key);
      const text = layer?.at(pixel.y, pixel.x);
      if (!text) continue;
      const sure = key === "predicted" ? slice.ready.get("confidence")?.at(pixel.y, pixel.x) : "";
      lines.push([name, sure ? `${text} (${sure})` : text]);
    }
    const factors = slice.strongestFactors(pixel.y, pixel.x);
    if (factors.length) lines.push(["factors", factors.join(", ")]);
    readout.replaceChildren(
      ...lines.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])
    );
  }

  // keys.js
  var PAN = 0.12;
  var MARK_SIDE = 120;
  function watchKeys(app2, actions) {
    const { viewer: viewer2 } = app2;
    const { element, osd } = viewer2;
    element.tabIndex = 0;
    element.addEventListener("focus", () => showCross(element.matches(":focus-visible")));
    element.addEventListener("blur", () => showCross(false));
    function showCross(on) {
      viewer2.cross = on;
      viewer2.draw();
    }
    function pan(dx, dy) {
      const { viewport } = osd;
      const bounds = viewport.getBounds();
      const by = Math.min(bounds.width, bounds.height) * PAN;
      viewport.panBy(new /** @type {any} */
      globalThis.OpenSeadragon.Point(dx * by, dy * by));
      showCross(true);
      const { x, y } = viewer2.middle();
      tell(app2, { x: Math.floor(x), y: Math.floor(y) });
    }
    function press(event) {
      const { clientWidth: width, clientHeight: height } = element;
      const pixel = viewer2.pixelAt(width / 2, height / 2);
      if (app2.tool === "mark") {
        const [x, y] = [(width - MARK_SIDE) / 2, (height - MARK_SIDE) / 2];
        markBand(app2, { x, y, width: MARK_SIDE, height: MARK_SIDE });
      } else if (pixel) {
        act(app2, pixel, event.shiftKey);
      }
    }
    const onSlice = {
      ArrowLeft: () => pan(-1, 0),
      ArrowRight: () => pan(1, 0),
      ArrowUp: () => pan(0, -1),
      ArrowDown: () => pan(0, 1),
      Enter: press,
      " ": press
    };
    const anywhere = {
      "+": () => viewer2.zoom(1.5),
      "=": () => viewer2.zoom(1.5),
      "-": () => viewer2.zoom(1 / 1.5),
      0: () => viewer2.home(),
      "[": () => step(-1),
      "]": () => step(1),
      l: () => app2.use("look"),
      n: () => app2.use("name"),
      m: () => app2.use("mark"),
      u: () => app2.takeBack(),
      p: () => actions.picture(),
      f: () => element.focus(),
      "?": () => actions.help(),
      Escape: () => app2.forget()
    };
    function step(by) {
      const index = app2.slices.indexOf(app2.slice) + by;
      if (app2.slices[index]) app2.openSlice(app2.slices[index]);
      else say("No further slice on this page");
    }
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const target = (
        /** @type {HTMLElement} */
        event.target
      );
      if (target.closest("dialog[open], select, input[type=text]")) return;
      const own = target === element ? onSlice[event.key] : void 0;
      const name = app2.tool === "name" ? app2.names[Number(event.key) - 1] : void 0;
      const found = own ?? (name ? () => app2.choose(app2.names.indexOf(name)) : anywhere[event.key]);
      if (!found) return;
      event.preventDefault();
      found(event);
    });
  }

  // panel_about.js
  function aboutPanel(app2) {
    const panel = byId("about");
    const refresh = () => {
      const { slice, page: page2 } = app2;
      const { cubes, rows, columns, window: shown } = slice.data;
      const cube = cubes[app2.network];
      const um = page2.pixel_um;
      const missing = page2.missing.filter((entry) => entry.slice === slice.z);
      const facts = [
        ["slice", `${slice.z}: ${rows} × ${columns} px, ${(rows * um / 1e3).toFixed(2)} × ${(columns * um / 1e3).toFixed(2)} mm; every pixel, lossless`],
        ["pixel", `${um} µm`]
      ];
      if (shown[0] !== 0 || shown[1] !== 255) {
        facts.push(["grey values", `${shown[0]} is black, ${shown[1]} white`]);
      }
      if (cube) {
        facts.push([
          "representation",
          `${cube.scale.length} units at ${cube.pixels.toLocaleString("en")} places, every ${cube.grid.step} px (extracted at every ${cube.stride} px), each unit rounded to 255 steps of its largest value`
        ]);
      }
      panel.replaceChildren(
        make("dl", { class: "facts" }, ...facts.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
        make("p", {}, "Similarity, nearest places and names are computed in this page from the rounded representation. Nothing is sent anywhere: the page may not open any address."),
        make("h3", {}, "Not on this page"),
        missing.length ? make("ul", { class: "missing" }, ...missing.map(({ what, why }) => make("li", {}, make("b", {}, what), `: ${why}`))) : make("p", {}, "Nothing: every map of this slice is here.")
      );
    };
    for (const event of ["slice", "network"]) app2.addEventListener(event, refresh);
    refresh();
  }

  // panel_layers.js
  function layersPanel(app2) {
    const list = byId("layers");
    const refresh = () => {
      legend(app2);
      if (list.hidden) return;
      const focused = (
        /** @type {HTMLElement|null} */
        document.activeElement?.dataset.focus
      );
      const groups = /* @__PURE__ */ new Map();
      for (const entry of app2.list()) {
        const rows = groups.get(entry.group) ?? [];
        rows.push(layerRow(app2, entry.key, entry.title));
        groups.set(entry.group, rows);
      }
      list.replaceChildren(
        compareRow(app2),
        ...[...groups].map(([title, rows]) => group(app2, title, rows))
      );
      for (const element of list.querySelectorAll("[data-focus]")) {
        if (element instanceof HTMLElement && element.dataset.focus === focused) element.focus();
      }
    };
    let waiting = false;
    const soon = () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        refresh();
      });
    };
    for (const event of ["layers", "slice", "similar", "names", "network", "panel"]) app2.addEventListener(event, soon);
    refresh();
  }
  var GROUP_TITLES = { Clicks: "From your clicks" };
  var FOLDED = /* @__PURE__ */ new Set(["Factors"]);
  var unfolded = /* @__PURE__ */ new Set();
  function group(app2, title, rows) {
    const heading2 = GROUP_TITLES[title] ?? title;
    if (!FOLDED.has(title)) {
      return make("section", {}, make("h3", {}, heading2), ...rows);
    }
    const on = app2.list().some((entry) => entry.group === title && app2.shown.has(entry.key));
    const details = make(
      "details",
      { open: on || unfolded.has(title) },
      make("summary", { "data-focus": `group-${title}` }, `${heading2} (${rows.length - 1})`),
      ...rows
    );
    details.addEventListener("toggle", () => {
      if (details.open) unfolded.add(title);
      else unfolded.delete(title);
    });
    return details;
  }
  function layerRow(app2, key, title) {
    const opacity = app2.shown.get(key);
    const name = `layer-${key}`;
    const box = make("input", {
      type: "checkbox",
      id: name,
      checked: opacity !== void 0,
      "data-focus": name,
      change: () => app2.show(key, box.checked ? LINES.includes(key) ? 90 : OPACITY : null)
    });
    const row = make("div", { class: "layer" }, box, make("label", { for: name }, title));
    if (opacity !== void 0) {
      const slider = make("input", {
        type: "range",
        min: "5",
        max: "100",
        value: String(opacity),
        "aria-label": `Opacity of ${title}`,
        "data-focus": `${name}-opacity`,
        input: () => {
          app2.shown.set(key, Number(slider.value));
          app2.draw();
        }
      });
      row.append(slider);
    } else if (!LINES.includes(key)) {
      row.append(make("button", { class: "only", "aria-label": `${title} only`, "data-focus": `${name}-only`, click: () => app2.only(key) }, "only"));
    }
    if (key === "rgb" && opacity !== void 0) row.append(rgbChoice(app2));
    return row;
  }
  function rgbChoice(app2) {
    const names = ["red", "green", "blue"];
    const count = app2.slice.factors().length;
    return make(
      "div",
      { class: "rgb" },
      ...names.map((colour, i) => {
        const select = make(
          "select",
          {
            "aria-label": `Factor shown in ${colour}`,
            "data-focus": `rgb-${colour}`,
            class: colour,
            change: () => {
              app2.rgb = app2.rgb.map((factor, j) => i === j ? Number(select.value) : factor);
              app2.show("rgb", app2.shown.get("rgb") ?? 60);
            }
          },
          ...Array.from(
            { length: count },
            (_, j) => make("option", { value: String(j + 1), selected: app2.rgb[i] === j + 1 }, `Factor ${j + 1}`)
          )
        );
        return select;
      })
    );
  }
  function compareRow(app2) {
    const option = (value, text) => make("option", { value, selected: app2.beside === value }, text);
    const slices2 = app2.slices.filter((slice) => slice !== app2.slice);
    const select = make(
      "select",
      {
        id: "beside",
        "data-focus": "beside",
        change: () => app2.compare(select.value)
      },
      option("", "nothing"),
      ...choices("Another slice", slices2.map(({ z }) => option(`z${z}`, `Slice ${z}, the same layers`))),
      ...choices("Another representation", app2.page.networks.flatMap(({ name, title }, i) => name === app2.network ? [] : [option(`n${i}`, `${title}, the same clicks`)])),
      ...choices("Another map", app2.list().map(({ key, title }) => option(key, title)))
    );
    return make(
      "section",
      { class: "compare" },
      make("label", { for: "beside" }, "Compare with"),
      select
    );
  }
  function choices(label, options) {
    return options.length ? [make("optgroup", { label }, ...options)] : [];
  }
  function legend(app2) {
    const { layers, beside } = app2.viewer;
    byId("legend").replaceChildren(...keys(layers));
    const other = app2.sliceOf(app2.beside);
    const title = other ? `Slice ${other.z}` : app2.networkOf(app2.beside)?.title;
    const heading2 = title ? [make("h4", {}, title)] : [];
    const colours = other ? [] : keys(beside?.layers ?? []);
    byId("legend-beside").replaceChildren(...beside ? [...heading2, ...colours] : []);
  }
  function keys(shown) {
    return shown.map(({ layer }) => layer).reverse().flatMap((layer) => {
      if (layer.outlines) return [];
      const title = make("h4", {}, layer.title);
      if (layer.legend) {
        const entries = layer.legend.map(
          (entry) => make("li", {}, swatch(entry.colour), make("span", {}, entry.title))
        );
        return [make("div", {}, title, make("ul", {}, ...entries))];
      }
      const bar = make("div", { class: "bar", style: `background:${gradient(layer.scale?.stops ?? [])}` });
      const ends = make("div", { class: "ends" }, make("span", {}, layer.scale?.low), make("span", {}, layer.scale?.high));
      return [make("div", {}, title, bar, ends, layer.note ? make("p", {}, layer.note) : null)];
    });
  }

  // exports.js
  function cell(value) {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }
  function csv(head, rows) {
    return [head, ...rows].map((row) => row.map(cell).join(",") + "\n").join("");
  }
  function areasAsGeoJson(codes, grid, legend2, properties) {
    const box = grid.box();
    const polygons = tracePolygons(codes, grid.rows, grid.columns);
    const inOrder = [...polygons].sort(([a], [b]) => a - b);
    const features = inOrder.map(([code, parts]) => {
      const coordinates = parts.map(
        (rings) => rings.map((ring) => ring.map(([x, y]) => [box.x + x * grid.step, box.y + y * grid.step]))
      );
      const entry = legend2[code - 1];
      return {
        type: "Feature",
        geometry: coordinates.length === 1 ? { type: "Polygon", coordinates: coordinates[0] } : { type: "MultiPolygon", coordinates },
        properties: {
          objectType: "annotation",
          classification: { name: entry.title, color: rgbOf(entry.colour) },
          ...properties
        }
      };
    });
    return JSON.stringify({ type: "FeatureCollection", features });
  }
  function spotsAsGeoJson(spots) {
    const features = spots.map(({ y, x, ...properties }) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [x + 0.5, y + 0.5] },
      properties: { objectType: "detection", ...properties }
    }));
    return JSON.stringify({ type: "FeatureCollection", features });
  }
  function atEveryPixel(codes, grid, rows, columns) {
    const whole = new Uint8Array(rows * columns);
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        const index = grid.indexAt(y, x);
        if (index >= 0) whole[y * columns + x] = codes[index];
      }
    }
    return whole;
  }
  function configLines(legend2, slices2) {
    const areas = legend2.map(
      (entry, i) => `  - {name: ${JSON.stringify(entry.name)}, title: ${JSON.stringify(entry.title)}, codes: [${i + 1}], colour: "${entry.colour}"}
`
    );
    return `areas:
${areas.join("")}annotations:
  path: labels/z{z:04d}.tif
  slices: [${slices2.join(", ")}]
  ignore: [0]
`;
  }

  // save.js
  function save(name, content, type) {
    const blob = content instanceof Blob ? content : new Blob([content], { type });
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 1e4);
  }

  // tiff.js
  function writeTiff(codes, rows, columns) {
    const [SHORT, LONG] = [3, 4];
    const tags = [
      [256, LONG, columns],
      [257, LONG, rows],
      [258, SHORT, 8],
      [259, SHORT, 1],
      [262, SHORT, 1],
      [273, LONG, 0],
      [277, SHORT, 1],
      [278, LONG, rows],
      [279, LONG, codes.length]
    ];
    const start2 = 8 + 2 + tags.length * 12 + 4;
    tags[5][2] = start2;
    const bytes = new Uint8Array(start2 + codes.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 18761);
    view.setUint16(2, 42, true);
    view.setUint32(4, 8, true);
    view.setUint16(8, tags.length, true);
    tags.forEach(([tag, type, value], i) => {
      const at = 10 + i * 12;
      view.setUint16(at, tag, true);
      view.setUint16(at + 2, type, true);
      view.setUint32(at + 4, 1, true);
      if (type === SHORT) view.setUint16(at + 8, value, true);
      else view.setUint32(at + 8, value, true);
    });
    bytes.set(codes, start2);
    return bytes;
  }

  // panel_names.js
  var NEW_COLOURS = ["#E15759", "#76B7B2", "#B07AA1", "#9C755F", "#EDC948", "#59A14F"];
  function namesPanel(app2) {
    const panel = byId("names");
    const refresh = () => {
      const focused = (
        /** @type {HTMLElement|null} */
        document.activeElement?.dataset.focus
      );
      const counts = app2.names.map((_, i) => app2.named.filter(({ name }) => name === i).length);
      panel.replaceChildren(
        make("p", { class: "lead" }, "Choose a name and click places that have it. From the second name on, every slice is painted; click again where it is wrong. Only your clicks and the representation are used, no annotation."),
        make(
          "div",
          { class: "names", role: "radiogroup", "aria-label": "Name given by the next click" },
          ...app2.names.map((entry, i) => nameRow(app2, entry, i, counts[i]))
        ),
        addRow(app2),
        ...agreement(app2),
        make(
          "div",
          { class: "row" },
          make("button", { disabled: !app2.named.length, "data-focus": "undo", title: "U", click: () => app2.takeBack() }, "Undo last place"),
          make("button", { disabled: !app2.named.length, "data-focus": "clear", click: () => clear(app2) }, "Clear all")
        ),
        make("h3", {}, "Take it away"),
        make(
          "div",
          { class: "row" },
          exportButton(app2, "Label TIFF", saveTiff),
          exportButton(app2, "GeoJSON", saveGeoJson),
          make("button", { disabled: !app2.named.length, click: () => savePoints(app2) }, "Places (CSV)"),
          exportButton(app2, "Config lines", saveConfig)
        )
      );
      for (const element of panel.querySelectorAll("[data-focus]")) {
        if (element instanceof HTMLElement && element.dataset.focus === focused) element.focus();
      }
    };
    for (const event of ["names", "slice", "told", "network"]) app2.addEventListener(event, refresh);
    refresh();
  }
  function agreement(app2) {
    const { cube, z } = app2.slice;
    const [codes, areas] = [app2.namedCodes.get(z), app2.slice.ready.get("areas")];
    if (!cube || !codes || !areas) return [];
    const { right, annotated } = countRight(cube, codes, app2.names, areas);
    if (!annotated) return [];
    const share = `${(100 * right / annotated).toFixed(1)} %`;
    return [make("p", { class: "agreement" }, `Slice ${z}: ${share} of ${annotated.toLocaleString("en")} annotated places named as the annotation does.`)];
  }
  function nameRow(app2, entry, i, count) {
    const radio = make("input", {
      type: "radio",
      name: "name",
      checked: app2.name === i,
      "data-focus": `name-${i}`,
      change: () => app2.choose(i)
    });
    const places = count === 1 ? "1 place" : `${count} places`;
    const key = i < 9 ? make("kbd", {}, String(i + 1)) : null;
    return make("label", { class: "name" }, radio, swatch(entry.colour), make("span", {}, entry.title), make("small", {}, count ? places : ""), key);
  }
  function addRow(app2) {
    const text = make("input", { type: "text", placeholder: "A name of your own", "aria-label": "Another name", maxLength: 60 });
    const add = () => {
      const title = text.value.trim();
      if (!title || app2.names.some((entry) => entry.title === title)) return;
      const colour = NEW_COLOURS[(app2.names.length - app2.page.areas.length) % NEW_COLOURS.length];
      const name = title.replace(/[^A-Za-z0-9_-]+/g, "_");
      app2.names.push({ name, title, colour });
      app2.choose(app2.names.length - 1);
    };
    text.addEventListener("keydown", (event) => event.key === "Enter" && add());
    return make("div", { class: "row" }, text, make("button", { click: add }, "Add"));
  }
  function clear(app2) {
    app2.named = [];
    app2.paintNames();
  }
  function exportButton(app2, title, act2) {
    return make("button", { disabled: !app2.namedCodes.has(app2.slice.z), click: () => act2(app2) }, title);
  }
  function current(app2) {
    const { slice } = app2;
    const codes = app2.namedCodes.get(slice.z);
    if (!codes || !slice.cube) throw new Error("nothing is named on this slice");
    return { slice, codes, grid: slice.cube.grid };
  }
  var numbered = (z) => `z${String(z).padStart(4, "0")}`;
  function saveTiff(app2) {
    const { slice, codes, grid } = current(app2);
    const { rows, columns } = slice.data;
    const whole = atEveryPixel(codes, grid, rows, columns);
    save(`${numbered(slice.z)}.tif`, writeTiff(whole, rows, columns), "image/tiff");
    say("Label TIFF saved: code 1 is the first name, 2 the second and so on");
  }
  function saveGeoJson(app2) {
    const { slice, codes, grid } = current(app2);
    save(`${numbered(slice.z)}_names.geojson`, areasAsGeoJson(codes, grid, app2.names, { slice: slice.z }), "application/geo+json");
  }
  function savePoints(app2) {
    const um = app2.page.pixel_um;
    const rows = app2.named.map(({ z, y, x, name }) => [z, y, x, (y * um).toFixed(2), (x * um).toFixed(2), app2.names[name].name, app2.names[name].title]);
    save("places.csv", csv(["slice", "y", "x", "y_um", "x_um", "name", "title"], rows), "text/csv");
  }
  function saveConfig(app2) {
    save("annotation.yaml", configLines(app2.names, [...app2.namedCodes.keys()]), "text/yaml");
  }

  // panel_scatter.js
  var SIDE = 640;
  function scatterPanel(app2) {
    const panel = byId("scatter");
    const canvas = make("canvas", {
      width: SIDE,
      height: SIDE,
      class: "scatter",
      tabIndex: 0,
      role: "img",
      "aria-label": "Scatter of the first two principal components; drag to mark places"
    });
    const count = make("p", { class: "faint" });
    const axes = make("p", { class: "axis" });
    const buttons = make(
      "div",
      { class: "row" },
      make("button", { click: () => app2.mark(new Uint8Array(app2.slice.cube?.n ?? 0)) }, "Clear"),
      make("button", { click: () => saveMarked(app2, "csv") }, "Marked as CSV"),
      make("button", { click: () => saveMarked(app2, "geojson") }, "Marked as GeoJSON")
    );
    panel.replaceChildren(
      make("p", { class: "lead" }, "Every place of the slice, in the colours of the map that lies over it. Drag here to mark places on the slice, or on the slice to light them here."),
      canvas,
      axes,
      count,
      buttons
    );
    const refresh = () => {
      if (panel.hidden) return;
      const { cube } = app2.slice;
      if (cube) paint(app2, canvas);
      const marked = app2.marked.reduce((sum, value) => sum + value, 0);
      count.textContent = cube ? `${cube.n.toLocaleString("en")} places, ${marked.toLocaleString("en")} marked` : "This slice has no representation yet.";
      const shares = app2.page.networks.find(({ name }) => name === app2.network)?.shares ?? [];
      const [first, second] = shares.map((share) => `${Math.round(100 * share)} %`);
      axes.textContent = `→ component 1 (${first ?? "–"} of the variance)   ↑ 2 (${second ?? "–"})`;
      for (const part of [canvas, axes, buttons]) part.hidden = !cube;
    };
    for (const event of ["slice", "layers", "marked", "panel", "network"]) app2.addEventListener(event, refresh);
    brush(app2, canvas, () => paint(app2, canvas));
    refresh();
  }
  function pointOf(app2, i) {
    const { cube, principal } = app2.slice.held.get(app2.network) ?? {};
    if (!cube || !principal) return [0, 0];
    const { n } = cube;
    const margin = 12;
    const span = SIDE - 2 * margin;
    return [
      margin + Math.round(principal[i] / 65535 * span),
      SIDE - margin - Math.round((principal[n + i] ?? 0) / 65535 * span)
    ];
  }
  function paint(app2, canvas) {
    const { cube } = app2.slice;
    const context = canvas.getContext("2d");
    if (!cube || !context) return;
    const image = new ImageData(SIDE, SIDE);
    const pixels = new Uint32Array(image.data.buffer);
    const top = app2.viewer.layers.map(({ layer }) => layer).filter((layer) => !layer.outlines && layer.key !== "marked").at(-1);
    const plain = packed(rgbOf("#8FA3B8"));
    const light = packed(rgbOf("#FF3DF2"));
    const some = app2.marked.includes(1);
    for (const pass of some ? [0, 1] : [0]) {
      for (let i = 0; i < cube.n; i++) {
        if (pass && !app2.marked[i]) continue;
        const [x, y] = pointOf(app2, i);
        const index = top ? top.grid.indexAt(cube.y[i], cube.x[i]) : -1;
        const own = pass ? light : top && index >= 0 ? (top.pixels[index] | 4278190080) >>> 0 : plain;
        const at = y * SIDE + x;
        pixels[at] = own;
        pixels[at + 1] = own;
        if (pass) pixels[at + SIDE] = pixels[at + SIDE + 1] = own;
      }
    }
    context.putImageData(image, 0, 0);
  }
  function brush(app2, canvas, repaint) {
    let start2 = null;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) / box.width * SIDE, (event.clientY - box.top) / box.height * SIDE];
    };
    canvas.addEventListener("pointerdown", (event) => {
      start2 = at(event);
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!start2) return;
      const [x, y] = at(event);
      repaint();
      const context = canvas.getContext("2d");
      if (!context) return;
      context.strokeStyle = getComputedStyle(canvas).color;
      context.lineWidth = 2;
      context.strokeRect(start2[0], start2[1], x - start2[0], y - start2[1]);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (!start2) return;
      const [[x0, y0], [x1, y1]] = [start2, at(event)];
      start2 = null;
      const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)];
      const [high, low] = [Math.min(y0, y1), Math.max(y0, y1)];
      const marked = Uint8Array.from({ length: app2.slice.cube?.n ?? 0 }, (_, i) => {
        const [x, y] = pointOf(app2, i);
        return x >= left && x <= right && y >= high && y <= low ? 1 : 0;
      });
      app2.mark(marked);
    });
  }
  async function saveMarked(app2, kind) {
    const { cube, z } = app2.slice;
    if (!cube || !app2.marked.includes(1)) {
      say("Nothing is marked");
      return;
    }
    const keys2 = ["areas", "predicted"].filter((key) => app2.list().some((entry) => entry.key === key));
    const layers = await Promise.all(keys2.map((key) => app2.slice.layer(key, app2.rgb)));
    const um = app2.page.pixel_um;
    const spots = [...app2.marked.keys()].filter((i) => app2.marked[i]).map((i) => {
      const [y, x] = [cube.y[i], cube.x[i]];
      const told = Object.fromEntries(layers.map((layer) => [layer.key, layer.at(y, x)]));
      return { z, y, x, ...told };
    });
    if (kind === "geojson") {
      const content = spotsAsGeoJson(spots.map(({ z: slice, ...rest }) => ({ z: slice, ...rest })));
      save(`z${z}_marked.geojson`, content, "application/geo+json");
      return;
    }
    const rows = spots.map((spot) => [z, spot.y, spot.x, (spot.y * um).toFixed(2), (spot.x * um).toFixed(2), ...keys2.map((key) => Reflect.get(spot, key))]);
    save(`z${z}_marked.csv`, csv(["slice", "y", "x", "y_um", "x_um", ...keys2], rows), "text/csv");
  }

  // panel_similar.js
  function similarPanel(app2) {
    const panel = byId("similar");
    const refresh = () => {
      if (!app2.clicked.length) {
        panel.replaceChildren(
          make("p", { class: "lead" }, "Click a place on the slice: the map shows what is like it, and the nearest places stand here. Shift-click adds a place; several are averaged.")
        );
        return;
      }
      const [first] = app2.clicked;
      const away = `${app2.page.patch} px`;
      panel.replaceChildren(
        make(
          "div",
          { class: "asked" },
          crop(app2, first, 96),
          make(
            "div",
            {},
            make("p", {}, app2.clicked.length > 1 ? `Mean of ${app2.clicked.length} places` : place(app2, first)),
            make("p", { class: "faint" }, `Cosine of ${app2.slice.cube?.scale.length} units. Places closer than ${away} to a clicked one or to each other are left out.`),
            make("button", { click: () => app2.forget() }, "Clear")
          )
        ),
        ...app2.slices.flatMap((slice) => {
          const found = app2.nearest.get(slice.z) ?? [];
          if (!found.length) return [];
          const title = slice === app2.slice ? "Nearest on this slice" : `Nearest on slice ${slice.z}`;
          const list = make("ol", { class: "crops" }, ...found.map((spot, i) => item(app2, spot, i)));
          const tally = make("p", { class: "tally" });
          tellAreas(slice, found, list, tally);
          return [make("h3", {}, title), tally, list];
        })
      );
    };
    for (const event of ["similar", "slice"]) app2.addEventListener(event, refresh);
    refresh();
  }
  async function tellAreas(slice, found, list, tally) {
    const key = ["areas", "predicted"].find((each) => slice.list().some((entry) => entry.key === each));
    if (!key) return;
    const layer = await slice.layer(key, []);
    const counts = /* @__PURE__ */ new Map();
    const colours = new Map((layer.legend ?? []).map(({ title, colour }) => [title, colour]));
    found.forEach((spot, i) => {
      const title = layer.at(spot.y, spot.x);
      counts.set(title, (counts.get(title) ?? 0) + 1);
      if (title) list.children[i]?.querySelector("b")?.append(swatch(colours.get(title) ?? "#888888"));
    });
    const sorted = [...counts].sort((a, b) => b[1] - a[1]);
    tally.replaceChildren(
      ...sorted.map(
        ([title, count]) => make("span", {}, title ? swatch(colours.get(title) ?? "#888888") : null, `${title || "no area"} ${count}`)
      )
    );
  }
  function place(app2, { z, y, x }) {
    const um = app2.page.pixel_um;
    return `Slice ${z}, x ${x} y ${y} px (${Math.round(x * um)}, ${Math.round(y * um)} µm)`;
  }
  function item(app2, spot, i) {
    const score = spot.score.toFixed(3);
    const go = async () => {
      const slice = app2.slices.find(({ z }) => z === spot.z);
      if (slice && slice !== app2.slice) await app2.openSlice(slice);
      app2.viewer.lookAt(spot);
      await app2.draw();
    };
    return make(
      "li",
      {},
      make(
        "button",
        { click: go, title: place(app2, spot), "aria-label": `${i + 1}: cosine ${score}, ${place(app2, spot)}` },
        crop(app2, spot, 72),
        make("span", { class: "place" }, `${i + 1}`),
        make("b", {}, score)
      )
    );
  }
  function crop(app2, { z, y, x }, side) {
    const canvas = make("canvas", { width: 2 * side, height: 2 * side, style: `width:${side}px` });
    const slice = app2.slices.find((each) => each.z === z);
    const { patch } = app2.page;
    slice?.loadPicture().then(() => {
      const context = canvas.getContext("2d");
      if (!context || !slice.image) return;
      context.drawImage(slice.image, x - patch / 2, y - patch / 2, patch, patch, 0, 0, 2 * side, 2 * side);
    });
    return canvas;
  }

  // drawing.js
  var BARS = [10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4];
  var FRAME_COLOURS = { asked: "#FFFFFF", found: "#FFD23F", pointed: "#FFFFFF" };
  function drawLayers(context, { x, y, scale }, layers) {
    for (const { layer, opacity } of layers) {
      context.globalAlpha = opacity;
      if (layer.outlines) {
        context.save();
        context.translate(x, y);
        context.scale(scale, scale);
        context.lineWidth = 1.5 / scale;
        context.lineJoin = "round";
        context.strokeStyle = "#FFFFFF";
        context.setLineDash(layer.dashes.map((length) => length / scale));
        context.stroke(layer.outlines);
        context.restore();
      } else {
        const box = layer.grid.box();
        context.imageSmoothingEnabled = layer.smooth;
        context.drawImage(
          layer.canvas(),
          x + box.x * scale,
          y + box.y * scale,
          box.width * scale,
          box.height * scale
        );
      }
    }
    context.globalAlpha = 1;
  }
  function drawFrames(context, { x, y, scale }, frames, patch) {
    context.font = "600 11px system-ui, sans-serif";
    context.textBaseline = "middle";
    context.textAlign = "center";
    for (const { spot, kind, text, colour } of frames) {
      const [middleX, middleY] = [x + (spot.x + 0.5) * scale, y + (spot.y + 0.5) * scale];
      if (colour) {
        context.beginPath();
        context.arc(middleX, middleY, 5, 0, 2 * Math.PI);
        context.fillStyle = colour;
        context.fill();
        context.lineWidth = 1.5;
        context.strokeStyle = "#fff";
        context.stroke();
        continue;
      }
      const side = Math.max(patch * scale, 8);
      const left = x + (spot.x - patch / 2) * scale;
      const top = y + (spot.y - patch / 2) * scale;
      context.lineWidth = kind === "asked" ? 4 : 3;
      context.strokeStyle = "rgb(0 0 0 / 0.55)";
      context.strokeRect(left, top, side, side);
      context.lineWidth = kind === "found" ? 1.25 : 2;
      context.strokeStyle = FRAME_COLOURS[kind];
      context.strokeRect(left, top, side, side);
      if (text) {
        context.fillStyle = "rgb(0 0 0 / 0.7)";
        context.fillRect(left, top, 16, 14);
        context.fillStyle = FRAME_COLOURS[kind];
        context.fillText(text, left + 8, top + 7.5);
      }
    }
  }
  function drawScaleBar(context, width, height, scale, pixelUm) {
    const most = Math.min(220, width / 4);
    const um = BARS.findLast((length2) => length2 / pixelUm * scale <= most) ?? BARS[0];
    const length = um / pixelUm * scale;
    const [right, bottom] = [width - 20, height - 20];
    context.fillStyle = "rgb(0 0 0 / 0.55)";
    context.fillRect(right - length - 10, bottom - 24, length + 20, 34);
    context.fillStyle = "#fff";
    context.fillRect(right - length, bottom, length, 3);
    context.font = "12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillText(um < 1e3 ? `${um} µm` : `${um / 1e3} mm`, right - length / 2, bottom - 7);
  }

  // viewer.js
  var OSD = (
    /** @type {any} */
    globalThis.OpenSeadragon
  );
  var SliceViewer = class {
    /**
     * @param {HTMLElement} element
     * @param {{pixel_um: number, patch: number}} page
     */
    constructor(element, page2) {
      this.element = element;
      this.page = page2;
      this.slice = null;
      this.layers = [];
      this.beside = null;
      this.divider = 0.5;
      this.frames = [];
      this.cross = false;
      this.band = null;
      this.canvas = document.createElement("canvas");
      this.canvas.className = "overlay";
      this.osd = OSD({
        element,
        drawer: "canvas",
        showNavigationControl: false,
        animationTime: 0.35,
        springStiffness: 9,
        minZoomImageRatio: 0.6,
        maxZoomPixelRatio: 8,
        visibilityRatio: 0.3,
        imageSmoothingEnabled: true,
        gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: false },
        gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true },
        keyboardNavEnabled: false
      });
      element.append(this.canvas);
      this.osd.addHandler("update-viewport", () => this.draw());
      this.osd.addHandler("resize", () => requestAnimationFrame(() => this.draw()));
    }
    /**
     * Show a slice; the view stays where it is if there is one.
     *
     * @param {Slice} slice
     */
    async open(slice) {
      const before = this.slice && this.osd.viewport?.getBounds();
      this.slice = slice;
      await new Promise((resolve, reject) => {
        this.osd.addOnceHandler("open", resolve);
        this.osd.addOnceHandler("open-failed", reject);
        this.osd.open(
          /** @type {any} */
          { type: "image", url: slice.address, buildPyramid: true }
        );
      });
      if (before) this.osd.viewport.fitBounds(before, true);
      this.draw();
    }
    /** @returns {Placing} */
    placing() {
      const item2 = this.osd.world.getItemAt(0);
      const { viewport } = this.osd;
      if (!item2 || !this.slice) return { x: 0, y: 0, scale: 1 };
      const corner = viewport.viewportToViewerElementCoordinates(
        item2.imageToViewportCoordinates(0, 0, true)
      );
      const width = viewport.viewportToViewerElementCoordinates(
        item2.imageToViewportCoordinates(this.slice.data.columns, 0, true)
      );
      return { x: corner.x, y: corner.y, scale: (width.x - corner.x) / this.slice.data.columns };
    }
    /**
     * The pixel of the slice under a point of the element; null beyond the slice.
     *
     * @param {number} left
     * @param {number} top
     */
    pixelAt(left, top) {
      if (!this.slice) return null;
      const { x, y, scale } = this.placing();
      const pixel = { y: Math.floor((top - y) / scale), x: Math.floor((left - x) / scale) };
      const { rows, columns } = this.slice.data;
      const inside = pixel.y >= 0 && pixel.x >= 0 && pixel.y < rows && pixel.x < columns;
      return inside ? pixel : null;
    }
    /** The pixel in the middle, and how many screen pixels a pixel takes. */
    middle() {
      const { x, y, scale } = this.placing();
      const { clientWidth, clientHeight } = this.element;
      return { x: (clientWidth / 2 - x) / scale, y: (clientHeight / 2 - y) / scale, scale };
    }
    /**
     * Bring a pixel to the middle.
     *
     * @param {{x: number, y: number}} pixel
     * @param {number} [scale]  screen pixels a pixel; as it is if not given
     * @param {boolean} [atOnce]
     */
    lookAt({ x, y }, scale, atOnce = false) {
      const item2 = this.osd.world.getItemAt(0);
      if (!item2) return;
      const { viewport } = this.osd;
      if (scale) viewport.zoomTo(item2.imageToViewportZoom(scale), void 0, atOnce);
      viewport.panTo(item2.imageToViewportCoordinates(x + 0.5, y + 0.5), atOnce);
      if (atOnce) viewport.applyConstraints(true);
    }
    /** Show the whole slice. */
    home() {
      this.osd.viewport?.goHome();
    }
    /** @param {number} by  how much larger everything becomes */
    zoom(by) {
      this.osd.viewport?.zoomBy(by);
      this.osd.viewport?.applyConstraints();
    }
    draw() {
      const { canvas, element } = this;
      const density = window.devicePixelRatio || 1;
      const [width, height] = [element.clientWidth, element.clientHeight];
      if (canvas.width !== Math.round(width * density) || canvas.height !== Math.round(height * density)) {
        canvas.width = Math.round(width * density);
        canvas.height = Math.round(height * density);
      }
      const context = canvas.getContext("2d");
      if (!context || !this.slice) return;
      context.setTransform(density, 0, 0, density, 0, 0);
      context.clearRect(0, 0, width, height);
      this.paint(context, width, height);
    }
    /**
     * Paint everything that lies over the slice.
     *
     * @param {CanvasRenderingContext2D} context
     * @param {number} width
     * @param {number} height
     */
    paint(context, width, height) {
      const placing = this.placing();
      if (this.beside) {
        const split = width * this.divider;
        clipped(context, 0, split, height, () => drawLayers(context, placing, this.layers));
        clipped(context, split, width - split, height, () => {
          const image = this.beside?.image;
          if (image) this.#drawOther(context, placing, image, height, split, width);
          drawLayers(context, placing, this.beside?.layers ?? []);
        });
      } else {
        drawLayers(context, placing, this.layers);
      }
      this.#drawFrames(context, placing, width, height);
      if (this.cross) drawCross(context, width, height);
      if (this.band) {
        context.strokeStyle = "#fff";
        context.setLineDash([5, 4]);
        context.strokeRect(this.band.x, this.band.y, this.band.width, this.band.height);
        context.setLineDash([]);
      }
      drawScaleBar(context, width, height, placing.scale, this.page.pixel_um);
    }
    /**
     * Found places are those of the left-hand side, where another slice or network is beside it.
     *
     * @param {CanvasRenderingContext2D} context
     * @param {Placing} placing
     * @param {number} width
     * @param {number} height
     */
    #drawFrames(context, placing, width, height) {
      const { beside, frames, page: page2 } = this;
      const everywhere = frames.filter(({ kind }) => !beside?.image && (!beside?.network || kind !== "found"));
      const left = frames.filter((frame) => !everywhere.includes(frame));
      clipped(context, 0, width * this.divider, height, () => drawFrames(context, placing, left, page2.patch));
      drawFrames(context, placing, everywhere, page2.patch);
    }
    /**
     * @param {CanvasRenderingContext2D} context
     * @param {Placing} placing
     * @param {HTMLImageElement} image
     * @param {number} height
     * @param {number} left
     * @param {number} right
     */
    #drawOther(context, placing, image, height, left, right) {
      context.fillStyle = "#07090c";
      context.fillRect(left, 0, right - left, height);
      const { x, y, scale } = placing;
      context.imageSmoothingEnabled = true;
      context.drawImage(image, x, y, image.width * scale, image.height * scale);
    }
    /** What is seen, slice and all, as a canvas. */
    picture() {
      const density = window.devicePixelRatio || 1;
      const picture = document.createElement("canvas");
      picture.width = this.canvas.width;
      picture.height = this.canvas.height;
      const context = picture.getContext("2d");
      if (context && this.slice?.image) {
        context.fillStyle = "#07090c";
        context.fillRect(0, 0, picture.width, picture.height);
        context.setTransform(density, 0, 0, density, 0, 0);
        const { x, y, scale } = this.placing();
        const { rows, columns } = this.slice.data;
        context.drawImage(this.slice.image, x, y, columns * scale, rows * scale);
        const [cross, band] = [this.cross, this.band];
        [this.cross, this.band] = [false, null];
        this.paint(context, this.element.clientWidth, this.element.clientHeight);
        [this.cross, this.band] = [cross, band];
      }
      return picture;
    }
  };
  function clipped(context, left, width, height, paint2) {
    context.save();
    context.beginPath();
    context.rect(left, 0, width, height);
    context.clip();
    paint2();
    context.restore();
  }
  function drawCross(context, width, height) {
    const [x, y] = [Math.round(width / 2), Math.round(height / 2)];
    for (
      const [colour, thick] of
      /** @type {[string, number][]} */
      [["#000", 4], ["#fff", 1.5]]
    ) {
      context.strokeStyle = colour;
      context.lineWidth = thick;
      context.beginPath();
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        context.moveTo(x + 5 * dx, y + 5 * dy);
        context.lineTo(x + 15 * dx, y + 15 * dy);
      }
      context.stroke();
    }
  }

  // main.js
  var SEEN = "brainarch-explorer-hint";
  var THEME = "brainarch-explorer-theme";
  var page = JSON.parse(byId("content").textContent ?? "");
  var blocks = new Blocks(document);
  var viewer = new SliceViewer(byId("viewer"), page);
  var slices = page.slices.map((data) => new Slice(data, page, blocks));
  var app = new App(page, slices, viewer);
  function recall(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }
  function remember(key, value) {
    try {
      localStorage.setItem(key, value);
    } catch {
    }
  }
  function sliceButtons() {
    byId("slices").replaceChildren(
      ...slices.map(
        (slice) => make(
          "button",
          {
            "aria-pressed": String(slice === app.slice),
            click: () => app.openSlice(slice)
          },
          `Slice ${slice.z}`
        )
      )
    );
  }
  function heading() {
    const { rows, columns, z } = app.slice.data;
    const [high, wide] = [rows, columns].map((side) => (side * page.pixel_um / 1e3).toFixed(2));
    byId("where").textContent = `Slice ${z} · ${wide} × ${high} mm · ${page.pixel_um} µm a pixel`;
  }
  function networkChoice() {
    const select = (
      /** @type {HTMLSelectElement} */
      byId("network")
    );
    byId("networks").hidden = page.networks.length < 2;
    select.replaceChildren(
      ...page.networks.map(
        ({ name, title }) => make("option", { value: name, selected: name === app.network }, title)
      )
    );
    select.onchange = () => app.useNetwork(select.value);
  }
  function mode() {
    const { title, colour } = app.names[app.name] ?? { title: "", colour: "" };
    byId("viewer").dataset.tool = app.tool;
    byId("mode").hidden = !app.slice.cube;
    byId("mode").replaceChildren(
      ...{
        look: ["Click: what is like this place?"],
        name: title ? ["Click: this is", swatch(colour), title] : ["First add a name, on the right"],
        mark: ["Drag: mark places"]
      }[app.tool]
    );
  }
  var TABS = ["layers", "similar", "names", "scatter", "about"];
  var TAB_OF_TOOL = { look: "similar", name: "names", mark: "scatter" };
  var TOOL_OF_TAB = { similar: "look", names: "name", scatter: "mark" };
  function openTab(name) {
    for (const tab of TABS) {
      byId(tab).hidden = tab !== name;
      byId(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
      byId(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
    }
    app.tell("panel");
  }
  function turnTo(name) {
    const tool = TOOL_OF_TAB[name];
    if (tool) app.use(tool);
    else openTab(name);
  }
  function tabs() {
    for (const [i, tab] of TABS.entries()) {
      const button = byId(`tab-${tab}`);
      button.onclick = () => turnTo(tab);
      button.onkeydown = (event) => {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        const next = TABS[(i + by + TABS.length) % TABS.length];
        turnTo(next);
        byId(`tab-${next}`).focus();
      };
    }
  }
  function savePicture() {
    viewer.picture().toBlob((blob) => {
      if (blob) save(`slice_z${app.slice.z}.png`, blob, "image/png");
      say("Picture saved");
    });
  }
  async function copyLink() {
    const address = location.href.split("#")[0] + app.link();
    try {
      await navigator.clipboard.writeText(address);
      say("Link copied: it leads back to this view");
    } catch {
      say("The address of this page leads back to this view");
    }
  }
  function theme() {
    const root = document.documentElement;
    const kept = recall(THEME);
    if (kept) root.dataset.theme = kept;
    byId("theme").onclick = () => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const now = root.dataset.theme ?? (dark ? "dark" : "light");
      root.dataset.theme = now === "dark" ? "light" : "dark";
      remember(THEME, root.dataset.theme);
    };
  }
  function divider() {
    const bar = byId("divider");
    const place2 = () => {
      bar.hidden = !app.beside;
      bar.style.left = `${100 * viewer.divider}%`;
      bar.setAttribute("aria-valuenow", String(Math.round(100 * viewer.divider)));
    };
    const move = (share) => {
      viewer.divider = Math.min(0.98, Math.max(0.02, share));
      place2();
      viewer.draw();
    };
    bar.onpointerdown = (event) => bar.setPointerCapture(event.pointerId);
    bar.onpointermove = (event) => {
      if (!bar.hasPointerCapture(event.pointerId)) return;
      const box = viewer.element.getBoundingClientRect();
      move((event.clientX - box.left) / box.width);
    };
    bar.onkeydown = (event) => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (by) {
        event.stopPropagation();
        move(viewer.divider + by);
      }
    };
    app.addEventListener("layers", place2);
    app.addEventListener("slice", place2);
    place2();
  }
  async function prepare() {
    await app.prepareToTell();
    app.tell("told");
  }
  async function start() {
    theme();
    tabs();
    openTab("layers");
    for (const refresh of [sliceButtons, heading, mode]) {
      app.addEventListener("slice", refresh);
      refresh();
    }
    app.addEventListener("tool", () => {
      mode();
      openTab(TAB_OF_TOOL[app.tool]);
    });
    app.addEventListener("similar", () => app.clicked.length && openTab("similar"));
    const help = (
      /** @type {HTMLDialogElement} */
      byId("help")
    );
    byId("open-help").onclick = () => help.showModal();
    byId("picture").onclick = savePicture;
    byId("link").onclick = copyLink;
    byId("home").onclick = () => viewer.home();
    byId("closer").onclick = () => viewer.zoom(1.5);
    byId("farther").onclick = () => viewer.zoom(1 / 1.5);
    const hint = byId("hint");
    hint.hidden = recall(SEEN) !== null;
    byId("close-hint").onclick = () => {
      hint.hidden = true;
      remember(SEEN, "1");
    };
    watchPointer(app);
    watchKeys(app, { help: () => help.showModal(), picture: savePicture });
    viewer.osd.addHandler("animation-finish", () => app.keepLink());
    await app.start(location.hash);
    layersPanel(app);
    similarPanel(app);
    namesPanel(app);
    scatterPanel(app);
    aboutPanel(app);
    divider();
    networkChoice();
    app.addEventListener("network", networkChoice);
    window.addEventListener("hashchange", () => location.reload());
    document.body.dataset.ready = "true";
    app.addEventListener("slice", prepare);
    await prepare();
    document.body.dataset.settled = "true";
  }
  start().catch((error) => {
    byId("failed").hidden = false;
    byId("failed").textContent = `This page cannot be shown: ${error.message}`;
    throw error;
  });
})();
