/** @import {App} from "./app.js" */
import { LINES, OPACITY } from "./app.js";
import { byId, make, swatch } from "./dom.js";
import { gradient } from "./layer.js";

/**
 * The list of layers, each with a switch and its opacity, and the choice of what to compare with.
 *
 * @param {App} app
 */
export function layersPanel(app) {
  const list = byId("layers");
  const refresh = () => {
    legend(app);
    if (list.hidden) return;
    const focused = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset.focus;
    /** @type {Map<string, HTMLElement[]>} */
    const groups = new Map();
    for (const entry of app.list()) {
      const rows = groups.get(entry.group) ?? [];
      rows.push(layerRow(app, entry.key, entry.title));
      groups.set(entry.group, rows);
    }
    list.replaceChildren(
      compareRow(app),
      ...[...groups].map(([title, rows]) => group(app, title, rows)),
    );
    for (const element of list.querySelectorAll("[data-focus]")) {
      if (element instanceof HTMLElement && element.dataset.focus === focused) element.focus();
    }
  };
  let waiting = false;
  /** A click tells several things; the list is made once, with the next frame. */
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      refresh();
    });
  };
  for (const event of ["layers", "slice", "similar", "names", "network", "panel"]) app.addEventListener(event, soon);
  refresh();
}

/** @type {Record<string, string>} */
const GROUP_TITLES = { Clicks: "From your clicks" };
/** Groups that are folded until one of their layers is on. */
const FOLDED = new Set(["Factors"]);
/** @type {Set<string>} */
const unfolded = new Set();

/** @param {App} app @param {string} title @param {HTMLElement[]} rows */
function group(app, title, rows) {
  const heading = GROUP_TITLES[title] ?? title;
  if (!FOLDED.has(title)) {
    return make("section", {}, make("h3", {}, heading), ...rows);
  }
  const on = app.list().some((entry) => entry.group === title && app.shown.has(entry.key));
  const details = make(
    "details",
    { open: on || unfolded.has(title) },
    make("summary", { "data-focus": `group-${title}` }, `${heading} (${rows.length - 1})`),
    ...rows,
  );
  details.addEventListener("toggle", () => {
    if (details.open) unfolded.add(title);
    else unfolded.delete(title);
  });
  return details;
}

/** @param {App} app @param {string} key @param {string} title */
function layerRow(app, key, title) {
  const opacity = app.shown.get(key);
  const name = `layer-${key}`;
  const box = make("input", {
    type: "checkbox",
    id: name,
    checked: opacity !== undefined,
    "data-focus": name,
    change: () => app.show(key, box.checked ? (LINES.includes(key) ? 90 : OPACITY) : null),
  });
  const row = make("div", { class: "layer" }, box, make("label", { for: name }, title));
  if (opacity !== undefined) {
    const slider = make("input", {
      type: "range",
      min: "5",
      max: "100",
      value: String(opacity),
      "aria-label": `Opacity of ${title}`,
      "data-focus": `${name}-opacity`,
      input: () => {
        app.shown.set(key, Number(slider.value));
        app.draw();
      },
    });
    row.append(slider);
  } else if (!LINES.includes(key)) {
    row.append(make("button", { class: "only", "aria-label": `${title} only`, "data-focus": `${name}-only`, click: () => app.only(key) }, "only"));
  }
  if (key === "rgb" && opacity !== undefined) row.append(rgbChoice(app));
  return row;
}

/** @param {App} app */
function rgbChoice(app) {
  const names = ["red", "green", "blue"];
  const count = app.slice.factors().length;
  return make(
    "div",
    { class: "rgb" },
    ...names.map((colour, i) => {
      const select = make(
        "select",
        {
          "aria-label": `Factor shown in ${colour}`,
          "data-focus": `rgb-${colour}`,
          class: colour,
          change: () => {
            app.rgb = app.rgb.map((factor, j) => (i === j ? Number(select.value) : factor));
            app.show("rgb", app.shown.get("rgb") ?? 60);
          },
        },
        ...Array.from({ length: count }, (_, j) =>
          make("option", { value: String(j + 1), selected: app.rgb[i] === j + 1 }, `Factor ${j + 1}`),
        ),
      );
      return select;
    }),
  );
}

/** @param {App} app */
function compareRow(app) {
  /** @param {string} value @param {string} text */
  const option = (value, text) => make("option", { value, selected: app.beside === value }, text);
  const slices = app.slices.filter((slice) => slice !== app.slice);
  const select = make(
    "select",
    {
      id: "beside",
      "data-focus": "beside",
      change: () => app.compare(select.value),
    },
    option("", "nothing"),
    ...choices("Another slice", slices.map(({ z }) => option(`z${z}`, `Slice ${z}, the same layers`))),
    ...choices("Another representation", app.page.networks.flatMap(({ name, title }, i) =>
      name === app.network ? [] : [option(`n${i}`, `${title}, the same clicks`)])),
    ...choices("Another map", app.list().map(({ key, title }) => option(key, title))),
  );
  return make(
    "section",
    { class: "compare" },
    make("label", { for: "beside" }, "Compare with"),
    select,
  );
}

/** @param {string} label @param {HTMLElement[]} options */
function choices(label, options) {
  return options.length ? [make("optgroup", { label }, ...options)] : [];
}

/**
 * What the colours on the screen mean.
 *
 * @param {App} app
 */
function legend(app) {
  const { layers, beside } = app.viewer;
  byId("legend").replaceChildren(...keys(layers));
  const other = app.sliceOf(app.beside);
  const title = other ? `Slice ${other.z}` : app.networkOf(app.beside)?.title;
  const heading = title ? [make("h4", {}, title)] : [];
  const colours = other ? [] : keys(beside?.layers ?? []);
  byId("legend-beside").replaceChildren(...(beside ? [...heading, ...colours] : []));
}

/** @param {import("./viewer.js").Shown[]} shown */
function keys(shown) {
  return shown
    .map(({ layer }) => layer)
    .reverse()
    .flatMap((layer) => {
      if (layer.outlines) return [];
      const title = make("h4", {}, layer.title);
      if (layer.legend) {
        const entries = layer.legend.map((entry) =>
          make("li", {}, swatch(entry.colour), make("span", {}, entry.title)),
        );
        return [make("div", {}, title, make("ul", {}, ...entries))];
      }
      const bar = make("div", { class: "bar", style: `background:${gradient(layer.scale?.stops ?? [])}` });
      const ends = make("div", { class: "ends" }, make("span", {}, layer.scale?.low), make("span", {}, layer.scale?.high));
      return [make("div", {}, title, bar, ends, layer.note ? make("p", {}, layer.note) : null)];
    });
}
