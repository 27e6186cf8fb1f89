/** @import {PageData} from "./types.js" */
/** @import {Tool} from "./app.js" */
import { App } from "./app.js";
import { Blocks } from "./blocks.js";
import { byId, make, say } from "./dom.js";
import { watchKeys } from "./keys.js";
import { aboutPanel } from "./panel_about.js";
import { layersPanel } from "./panel_layers.js";
import { namesPanel } from "./panel_names.js";
import { scatterPanel } from "./panel_scatter.js";
import { similarPanel } from "./panel_similar.js";
import { watchPointer } from "./pointer.js";
import { save } from "./save.js";
import { Slice } from "./slice.js";
import { SliceViewer } from "./viewer.js";

/** Where the browser remembers what the user has seen and chosen. */
const SEEN = "brainarch-explorer-hint";
const THEME = "brainarch-explorer-theme";

/** @type {PageData} */
const page = JSON.parse(byId("content").textContent ?? "");
const blocks = new Blocks(document);
const viewer = new SliceViewer(byId("viewer"), page);
const slices = page.slices.map((data) => new Slice(data, page, blocks));
const app = new App(page, slices, viewer);

/** @param {string} key */
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // some frames and settings allow no storage
  }
}

/** @param {string} key @param {string} value */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above: the page works without
  }
}

function sliceButtons() {
  byId("slices").replaceChildren(
    ...slices.map((slice) =>
      make(
        "button",
        {
          "aria-pressed": String(slice === app.slice),
          click: () => app.openSlice(slice),
        },
        `z ${slice.z}`,
      ),
    ),
  );
}

function toolButtons() {
  for (const button of byId("tools").querySelectorAll("button")) {
    const tool = /** @type {Tool} */ (button.dataset.tool);
    button.setAttribute("aria-pressed", String(app.tool === tool));
    button.onclick = () => app.use(tool);
  }
  byId("viewer").dataset.tool = app.tool;
}

const TABS = ["layers", "similar", "names", "scatter", "about"];
/** @type {Record<Tool, string>} */
const TAB_OF_TOOL = { look: "similar", name: "names", mark: "scatter" };

/** @param {string} name */
function openTab(name) {
  for (const tab of TABS) {
    byId(tab).hidden = tab !== name;
    byId(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
    byId(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
  }
  app.tell("panel");
}

function tabs() {
  for (const [i, tab] of TABS.entries()) {
    const button = byId(`tab-${tab}`);
    button.onclick = () => openTab(tab);
    button.onkeydown = (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!by) return;
      const next = TABS[(i + by + TABS.length) % TABS.length];
      openTab(next);
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
  const place = () => {
    bar.hidden = !app.beside;
    bar.style.left = `${100 * viewer.divider}%`;
    bar.setAttribute("aria-valuenow", String(Math.round(100 * viewer.divider)));
  };
  /** @param {number} share */
  const move = (share) => {
    viewer.divider = Math.min(0.98, Math.max(0.02, share));
    place();
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
  app.addEventListener("layers", place);
  app.addEventListener("slice", place);
  place();
}

async function start() {
  theme();
  tabs();
  openTab("layers");
  sliceButtons();
  toolButtons();
  app.addEventListener("slice", sliceButtons);
  app.addEventListener("tool", () => {
    toolButtons();
    openTab(TAB_OF_TOOL[app.tool]);
  });
  app.addEventListener("similar", () => app.clicked.length && openTab("similar"));
  const help = /** @type {HTMLDialogElement} */ (byId("help"));
  byId("open-help").onclick = () => help.showModal();
  byId("picture").onclick = savePicture;
  byId("home").onclick = () => viewer.home();
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
  window.addEventListener("hashchange", () => location.reload());
  document.body.dataset.ready = "true";
  for (const key of ["areas", "layers", "confidence", "clusters", "components"]) {
    // decoded when nothing else is to do, so that hovering tells them
    if (app.slice.list().some((entry) => entry.key === key)) await app.slice.layer(key, app.rgb);
  }
  document.body.dataset.settled = "true";
}

start().catch((error) => {
  byId("failed").hidden = false;
  byId("failed").textContent = `This page cannot be shown: ${error.message}`;
  throw error;
});
