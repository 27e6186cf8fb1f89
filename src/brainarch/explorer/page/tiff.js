/**
 * A label image as an uncompressed 8-bit TIFF in one strip.
 *
 * @param {Uint8Array} codes  row after row
 * @param {number} rows
 * @param {number} columns
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function writeTiff(codes, rows, columns) {
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
    [279, LONG, codes.length],
  ];
  const start = 8 + 2 + tags.length * 12 + 4;
  tags[5][2] = start;
  const bytes = new Uint8Array(start + codes.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4949);
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
  bytes.set(codes, start);
  return bytes;
}
