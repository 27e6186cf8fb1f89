/** Small help with the document. Texts are text nodes: no name can be markup. */

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [properties]  `class`, `data-…`, `aria-…`, `role`, `style` and
 *   `for` are attributes, functions are listeners, everything else is a property
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (/^(class|data-|aria-|role$|style$|for$)/.test(name)) element.setAttribute(name, value);
    else Reflect.set(element, name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

/** @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`${id}: no such element`);
  return element;
}

/** @param {string} colour */
export function swatch(colour) {
  return make("span", { class: "swatch", style: `background:${colour}` });
}

let silence = 0;

/**
 * Say something for a while to everybody, screen readers included.
 *
 * @param {string} text
 */
export function say(text) {
  byId("said").textContent = text;
  clearTimeout(silence);
  silence = window.setTimeout(() => (byId("said").textContent = ""), 4000);
}
