import { make } from "./dom.js";

/**
 * Hand a file over to the user.
 *
 * @param {string} name
 * @param {string|Uint8Array<ArrayBuffer>|Blob} content
 * @param {string} type
 */
export function save(name, content, type) {
  const blob = content instanceof Blob ? content : new Blob([content], { type });
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
