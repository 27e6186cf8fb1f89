/** @import {App} from "./app.js" */
import { say } from "./dom.js";
import { act, markBand, tell } from "./pointer.js";

/** Share of the view that an arrow moves. */
const PAN = 0.12;
/** Side of the square that Enter marks, in pixels of the screen. */
const MARK_SIDE = 120;

/**
 * The keyboard: a cross in the middle of the slice takes the place of the pointer.
 *
 * @param {App} app
 * @param {{help: () => void, picture: () => void}} actions
 */
export function watchKeys(app, actions) {
  const { viewer } = app;
  const { element, osd } = viewer;
  element.tabIndex = 0;
  element.addEventListener("focus", () => showCross(element.matches(":focus-visible")));
  element.addEventListener("blur", () => showCross(false));

  /** @param {boolean} on */
  function showCross(on) {
    viewer.cross = on;
    viewer.draw();
  }

  /** @param {number} dx @param {number} dy */
  function pan(dx, dy) {
    const { viewport } = osd;
    const bounds = viewport.getBounds();
    const by = Math.min(bounds.width, bounds.height) * PAN;
    viewport.panBy(new /** @type {any} */ (globalThis).OpenSeadragon.Point(dx * by, dy * by));
    showCross(true);
    const { x, y } = viewer.middle();
    tell(app, { x: Math.floor(x), y: Math.floor(y) });
  }

  /** @param {KeyboardEvent} event */
  function press(event) {
    const { clientWidth: width, clientHeight: height } = element;
    const pixel = viewer.pixelAt(width / 2, height / 2);
    if (app.tool === "mark") {
      const [x, y] = [(width - MARK_SIDE) / 2, (height - MARK_SIDE) / 2];
      markBand(app, { x, y, width: MARK_SIDE, height: MARK_SIDE });
    } else if (pixel) {
      act(app, pixel, event.shiftKey);
    }
  }

  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const onSlice = {
    ArrowLeft: () => pan(-1, 0),
    ArrowRight: () => pan(1, 0),
    ArrowUp: () => pan(0, -1),
    ArrowDown: () => pan(0, 1),
    Enter: press,
    " ": press,
  };
  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const anywhere = {
    "+": () => viewer.zoom(1.5),
    "=": () => viewer.zoom(1.5),
    "-": () => viewer.zoom(1 / 1.5),
    0: () => viewer.home(),
    "[": () => step(-1),
    "]": () => step(1),
    l: () => app.use("look"),
    n: () => app.use("name"),
    m: () => app.use("mark"),
    u: () => app.takeBack(),
    p: () => actions.picture(),
    f: () => element.focus(),
    "?": () => actions.help(),
    Escape: () => app.forget(),
  };

  /** @param {number} by */
  function step(by) {
    const index = app.slices.indexOf(app.slice) + by;
    if (app.slices[index]) app.openSlice(app.slices[index]);
    else say("No further slice on this page");
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("dialog[open], select, input[type=text]")) return;
    const own = target === element ? onSlice[event.key] : undefined;
    const name = app.tool === "name" ? app.names[Number(event.key) - 1] : undefined;
    const found = own ?? (name ? () => app.choose(app.names.indexOf(name)) : anywhere[event.key]);
    if (!found) return;
    event.preventDefault();
    found(event);
  });
}
