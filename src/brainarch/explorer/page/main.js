/** @import {PageData} from "./types.js" */
/** @import {Tool} from "./app.js" */
import { App } from "./app.js";
import { Blocks } from "./blocks.js";
import { byId, make, say, swatch } from "./dom.js";
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
        `Slice ${slice.z}`,
      ),
    ),
  );
}

/** What the page is of, and what is asked. */
function heading() {
  const { rows, columns, z } = app.slice.data;
  const [high, wide] = [rows, columns].map((side) => ((side * page.pixel_um) / 1000).toFixed(2));
  byId("where").textContent = `Slice ${z} · ${wide} × ${high} mm · ${page.pixel_um} µm a pixel`;
}

function networkChoice() {
  const select = /** @type {HTMLSelectElement} */ (byId("network"));
  byId("networks").hidden = page.networks.length < 2;
  select.replaceChildren(
    ...page.networks.map(({ name, title }) =>
      make("option", { value: name, selected: name === app.network }, title),
    ),
  );
  select.onchange = () => app.useNetwork(select.value);
}

/** Say what a click does now. */
function mode() {
  const { title, colour } = app.names[app.name] ?? { title: "", colour: "" };
  byId("viewer").dataset.tool = app.tool;
  byId("mode").hidden = !app.slice.cube;
  byId("mode").replaceChildren(
    ...{
      look: ["Click: what is like this place?"],
      name: title ? ["Click: this is", swatch(colour), title] : ["First add a name, on the right"],
      mark: ["Drag: mark places"],
    }[app.tool],
  );
}

const TABS = ["layers", "similar", "names", "scatter", "about"];
/** @type {Record<Tool, string>} */
const TAB_OF_TOOL = { look: "similar", name: "names", mark: "scatter" };
/** @type {Record<string, Tool>} */
const TOOL_OF_TAB = { similar: "look", names: "name", scatter: "mark" };

/** @param {string} name */
function openTab(name) {
  for (const tab of TABS) {
    byId(tab).hidden = tab !== name;
    byId(`tab-${tab}`).setAttribute("aria-selected", String(tab === name));
    byId(`tab-${tab}`).tabIndex = tab === name ? 0 : -1;
  }
  app.tell("panel");
}

/** Open a panel; where it has a tool, clicks do that from now on. @param {string} name */
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
    // some frames and settings let no page write there
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

/** Decode, once everything is on the screen, what hovering tells. */
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
  const help = /** @type {HTMLDialogElement} */ (byId("help"));
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
