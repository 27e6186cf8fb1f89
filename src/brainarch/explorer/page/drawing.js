/** @import {Frame, Placing, Shown} from "./viewer.js" */

/** Lengths that a scale bar may have, in micrometer. */
const BARS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000];
const FRAME_COLOURS = { asked: "#FFFFFF", found: "#FFD23F", pointed: "#FFFFFF" };

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Placing} placing
 * @param {Shown[]} layers
 */
export function drawLayers(context, { x, y, scale }, layers) {
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
        box.height * scale,
      );
    }
  }
  context.globalAlpha = 1;
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {Placing} placing
 * @param {Frame[]} frames
 * @param {number} patch
 */
export function drawFrames(context, { x, y, scale }, frames, patch) {
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

/**
 * A bar of a round length, bottom right.
 *
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 * @param {number} scale
 * @param {number} pixelUm
 */
export function drawScaleBar(context, width, height, scale, pixelUm) {
  const most = Math.min(220, width / 4);
  const um = BARS.findLast((length) => (length / pixelUm) * scale <= most) ?? BARS[0];
  const length = (um / pixelUm) * scale;
  const [right, bottom] = [width - 20, height - 20];
  context.fillStyle = "rgb(0 0 0 / 0.55)";
  context.fillRect(right - length - 10, bottom - 24, length + 20, 34);
  context.fillStyle = "#fff";
  context.fillRect(right - length, bottom, length, 3);
  context.font = "12px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillText(um < 1000 ? `${um} µm` : `${um / 1000} mm`, right - length / 2, bottom - 7);
}
