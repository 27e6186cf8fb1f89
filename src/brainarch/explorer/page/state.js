/**
 * What a link leads back to, as the part of an address after #.
 *
 * @typedef {object} View
 * @property {number} [z]  slice
 * @property {string} [network]  whose representation is asked, if not the first
 * @property {[number, number, number]} [at]  x and y of the middle in pixels, screen pixels a pixel
 * @property {[string, number][]} [layers]  shown layers and their opacity in percent
 * @property {string} [beside]  layer on the right of the divider
 * @property {number[]} [rgb]  factors shown as red, green, blue
 * @property {[number, number, number][]} [like]  clicked places: slice, y, x
 */

/** @param {View} view */
export function toFragment(view) {
  const parts = [];
  if (view.z !== undefined) parts.push(`z=${view.z}`);
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

/**
 * @param {string} fragment
 * @returns {View}  without what cannot be read
 */
export function fromFragment(fragment) {
  const parts = new Map(
    fragment
      .replace(/^#/, "")
      .split("&")
      .map((part) => {
        const sign = part.indexOf("=");
        return [part.slice(0, sign), part.slice(sign + 1)];
      }),
  );
  /** @type {View} */
  const view = {};
  const z = numbers(parts.get("z"), 1);
  if (z) view.z = z[0];
  const network = parts.get("by");
  if (network) view.network = decoded(network);
  const at = numbers(parts.get("at"), 3);
  if (at && at[2] > 0) view.at = [at[0], at[1], at[2]];
  const layers = parts.get("layers");
  if (layers !== undefined) {
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

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no address of ours
  }
}

/**
 * @param {string|undefined} text
 * @param {number} count
 */
function numbers(text, count) {
  const found = (text ?? "").split(",").map(Number);
  return text && found.length === count && found.every(Number.isFinite) ? found : undefined;
}
