/** Binary parts of the page: base 64, deflated but for pictures. */

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBase64(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Reads parts out of the document, each once: its text is dropped then. */
export class Blocks {
  /** @param {Document} document */
  constructor(document) {
    this.document = document;
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
}
