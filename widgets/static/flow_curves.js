// One group of edges: what the prediction loses around each layer, its interval, and its controls in grey.
import { h, readable, say } from "./dom.js";
import { everyOf, svg, ticksBetween } from "./flow_svg.js";

const WIDTH = 400;
const HEIGHT = 170;
const LEFT = 46;
const RIGHT = 10;
const TOP = 10;
const BOTTOM = 24;

/**
 * Lowest and highest value of all panels, with 0 between them: panels share one scale.
 * @param {any[]} panels
 * @returns {[number, number]}
 */
export function curveRange(panels) {
  const lines = panels.flatMap((panel) => [panel, ...panel.controls]);
  const values = lines.flatMap((line) => [...line.values, ...(line.low ?? []), ...(line.high ?? [])]);
  const all = [...values, ...panels.map((panel) => panel.everywhere)].filter((value) => value !== null);
  const [lo, hi] = [Math.min(0, ...all), Math.max(0, ...all)];
  const room = (hi - lo || 1) * 0.04;
  return [lo - (lo < 0 ? room : 0), hi + (hi > 0 ? room : 0) || room];
}

/**
 * @param {{centres: number[], layers: number[][]}} data
 * @param {any} panel
 * @param {{index: number, range: [number, number], label: string, choose: (layer: number) => void}} how
 */
export function curvePanel(data, panel, { index, range, label, choose }) {
  const { centres } = data;
  const [lo, hi] = range;
  const x = (at) => LEFT + (centres.length > 1 ? at / (centres.length - 1) : 0.5) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + ((hi - value) / (hi - lo)) * (HEIGHT - TOP - BOTTOM);
  const path = (values, cls) => svg("path", { d: pathOf(values, x, y), class: cls });

  const every = everyOf(centres.length, 12);
  const cursor = svg("line", { class: "cursor", y1: TOP, y2: HEIGHT - BOTTOM, visibility: "hidden" });
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true", class: `c${index % 6}` },
    ...ticksBetween(lo, hi, 5).flatMap((value) => [
      svg("line", { class: value === 0 ? "zero" : "rule", x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value) }),
      svg("text", { x: LEFT - 6, y: y(value) + 3.5, "text-anchor": "end" }, String(value)),
    ]),
    ...centres.flatMap((layer, at) =>
      at % every ? [] : [svg("text", { x: x(at), y: HEIGHT - 8, "text-anchor": "middle" }, String(layer))],
    ),
    ...(panel.everywhere === null ? [] : [path(centres.map(() => panel.everywhere), "everywhere")]),
    ...panel.controls.map((line) => path(line.values, `control ${dashOf(line.name)}`)),
    ...(panel.low ? [svg("path", { class: "band", d: bandOf(panel, x, y) })] : []),
    cursor,
    path(panel.values, "line"),
    ...panel.values.map((value, at) => (value === null ? "" : svg("circle", { cx: x(at), cy: y(value), r: 3 }))),
  );
  const said = h("p", { class: "vlms-hint readout" });
  const surface = h(
    "div",
    { class: "surface", role: "slider", tabindex: 0, "aria-label": `${panel.name}, ${label}: layer`, "aria-valuemin": centres[0], "aria-valuemax": centres.at(-1) },
    drawing,
  );
  const el = h("figure", { class: `curve c${index % 6}` }, h("figcaption", {}, panel.name), surface, said);

  let chosen = -1;
  const read = (at) => {
    cursor.setAttribute("visibility", at < 0 ? "hidden" : "visible");
    if (at >= 0) for (const name of ["x1", "x2"]) cursor.setAttribute(name, String(x(at)));
    say(said, at < 0 ? "Click a layer." : sentenceOf(data, panel, at));
  };
  const nearest = (event) => {
    const box = drawing.getBoundingClientRect();
    const place = ((event.clientX - box.left) / box.width) * WIDTH;
    const at = Math.round(((place - LEFT) / (WIDTH - LEFT - RIGHT)) * (centres.length - 1));
    return Math.min(centres.length - 1, Math.max(0, at));
  };
  surface.addEventListener("pointermove", (event) => read(nearest(event)));
  surface.addEventListener("pointerleave", () => read(chosen));
  surface.addEventListener("click", (event) => choose(centres[nearest(event)]));
  surface.addEventListener("keydown", (event) => {
    const last = centres.length - 1;
    const to = { ArrowRight: chosen + 1, ArrowUp: chosen + 1, ArrowLeft: chosen - 1, ArrowDown: chosen - 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    choose(centres[Math.min(last, Math.max(0, to))]);
  });
  return {
    el,
    /** @param {number | null} layer */
    show(layer) {
      chosen = centres.indexOf(layer);
      surface.setAttribute("aria-valuenow", String(layer ?? centres[0]));
      surface.setAttribute("aria-valuetext", chosen < 0 ? "none" : sentenceOf(data, panel, chosen));
      read(chosen);
    },
  };
}

/** Where an edge stands around one layer, and its controls there. */
function sentenceOf(data, panel, at) {
  const [first, last] = [data.layers[at][0], data.layers[at].at(-1)];
  const cut = first === last ? `layer ${first} cut` : `layers ${first}–${last} cut`;
  const ends = panel.low && panel.low[at] !== null ? ` (${numberOf(panel.low[at])} to ${numberOf(panel.high[at])})` : "";
  const controls = panel.controls.map((line) => `${line.name} ${numberOf(line.values[at])}`);
  return [`${cut}: ${numberOf(panel.values[at])}${ends}`, ...controls].join(" · ");
}

function numberOf(value) {
  if (value === null) return "–";
  // Tiny changes in full would only be noise in a row of numbers.
  return Math.abs(value) < 0.0005 ? "0" : readable(value).replace("-", "−");
}

/** The keys to the grey lines. */
export function curveKeys(panels) {
  const names = [...new Set(panels.flatMap((panel) => panel.controls.map((line) => line.name)))];
  const all = panels.some((panel) => panel.everywhere !== null) ? [["all layers at once", "everywhere"]] : [];
  const keys = [...names.map((name) => [name, `control ${dashOf(name)}`]), ...all];
  const mark = (cls) => svg("svg", { viewBox: "0 0 26 6", width: 26, height: 6, "aria-hidden": "true" }, svg("path", { d: "M0 3H26", class: cls }));
  return h("p", { class: "vlms-hint keys" }, ...keys.map(([name, cls]) => h("span", {}, mark(cls), name)));
}

function dashOf(name) {
  return `dash-${["random edges", "equal mass", "last->last"].indexOf(name)}`;
}

function pathOf(values, x, y) {
  let pen = "M";
  return values
    .map((value, at) => {
      if (value === null) {
        pen = "M";
        return "";
      }
      const part = `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return part;
    })
    .join("");
}

function bandOf({ low, high }, x, y) {
  const there = low.map((_, at) => at).filter((at) => low[at] !== null);
  const point = (values) => (at) => `${x(at).toFixed(1)} ${y(values[at]).toFixed(1)}`;
  return there.length ? `M${[...there.map(point(high)), ...there.reverse().map(point(low))].join("L")}Z` : "";
}
