/** @import {Layer} from "./layer.js" */
/** @import {Slice} from "./slice.js" */
/** @import {Spot} from "./types.js" */
/** @import {Viewer} from "openseadragon" */
import { drawFrames, drawLayers, drawScaleBar } from "./drawing.js";

/** OpenSeadragon's global; its script runs before this one. */
const OSD = /** @type {any} */ (globalThis).OpenSeadragon;

/**
 * @typedef {{layer: Layer, opacity: number}} Shown
 * @typedef {{spot: Spot, kind: "asked"|"found"|"pointed", text?: string, colour?: string}} Frame
 * @typedef {{x: number, y: number, scale: number}} Placing  of the slice's corner on the screen
 */

/** The slice that pans and zooms, and over it a canvas with layers, frames and scale bar. */
export class SliceViewer {
  /**
   * @param {HTMLElement} element
   * @param {{pixel_um: number, patch: number}} page
   */
  constructor(element, page) {
    this.element = element;
    this.page = page;
    /** @type {Slice|null} */
    this.slice = null;
    /** @type {Shown[]} */
    this.layers = [];
    /** @type {{layers: Shown[], image: HTMLImageElement|null, network: boolean}|null} */
    this.beside = null;
    /** Where the divider stands, as a share of the width. */
    this.divider = 0.5;
    /** @type {Frame[]} */
    this.frames = [];
    /** Whether a cross marks the middle, for the keyboard. */
    this.cross = false;
    /** @type {{x: number, y: number, width: number, height: number}|null} */
    this.band = null;
    this.canvas = document.createElement("canvas");
    this.canvas.className = "overlay";
    /** @type {Viewer} */
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
      keyboardNavEnabled: false,
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
      this.osd.open(/** @type {any} */ ({ type: "image", url: slice.address, buildPyramid: true }));
    });
    if (before) this.osd.viewport.fitBounds(before, true);
    this.draw();
  }

  /** @returns {Placing} */
  placing() {
    const item = this.osd.world.getItemAt(0);
    const { viewport } = this.osd;
    if (!item || !this.slice) return { x: 0, y: 0, scale: 1 };
    const corner = viewport.viewportToViewerElementCoordinates(
      item.imageToViewportCoordinates(0, 0, true),
    );
    const width = viewport.viewportToViewerElementCoordinates(
      item.imageToViewportCoordinates(this.slice.data.columns, 0, true),
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
    const item = this.osd.world.getItemAt(0);
    if (!item) return;
    const { viewport } = this.osd;
    if (scale) viewport.zoomTo(item.imageToViewportZoom(scale), undefined, atOnce);
    viewport.panTo(item.imageToViewportCoordinates(x + 0.5, y + 0.5), atOnce);
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
    const { beside, frames, page } = this;
    const everywhere = frames.filter(({ kind }) => !beside?.image && (!beside?.network || kind !== "found"));
    const left = frames.filter((frame) => !everywhere.includes(frame));
    clipped(context, 0, width * this.divider, height, () => drawFrames(context, placing, left, page.patch));
    drawFrames(context, placing, everywhere, page.patch);
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
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} left
 * @param {number} width
 * @param {number} height
 * @param {() => void} paint
 */
function clipped(context, left, width, height, paint) {
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  paint();
  context.restore();
}

/**
 * @param {CanvasRenderingContext2D} context
 * @param {number} width
 * @param {number} height
 */
function drawCross(context, width, height) {
  const [x, y] = [Math.round(width / 2), Math.round(height / 2)];
  for (const [colour, thick] of /** @type {[string, number][]} */ ([["#000", 4], ["#fff", 1.5]])) {
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
