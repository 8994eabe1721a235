// Norms and turns of states by layer: two small line charts, drawn as SVG.
import { decode } from "./codec.js";
import { h, readable } from "./dom.js";

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [260, 110, 38, 10, 10, 20];
// The name of SVG looks like an address, which our pages may not hold: nothing is loaded from it.
const SVG = document.createElementNS.bind(document, ["http", "//www.w3.org/2000/svg"].join(":"));

function shape(tag, attributes, ...children) {
  const el = SVG(tag);
  for (const [name, value] of Object.entries(attributes)) el.setAttribute(name, String(value));
  el.append(...children);
  return el;
}

/**
 * @param {string} title
 * @param {number[]} layers
 * @param {{name: string, kind: string, values: (number | null)[]}[]} lines
 * @param {number} layer  to be marked
 * @param {boolean} log
 */
function lineChart(title, layers, lines, layer, log) {
  const scaled = (value) => (log ? Math.log10(Math.max(value, 1e-12)) : value);
  const all = lines.flatMap(({ values }) => values).filter((value) => Number.isFinite(value));
  const [lo, hi] = [Math.min(...all), Math.max(...all)];
  const span = scaled(hi) - scaled(lo) || 1;
  const [first, last] = [layers[0], layers.at(-1)];
  const x = (each) => LEFT + ((each - first) / (last - first || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => TOP + (1 - (scaled(value) - scaled(lo)) / span) * (HEIGHT - TOP - BOTTOM);
  const drawn = lines.map(({ kind, values }) => {
    const points = layers.map((each, i) => [x(each), values[i]]).filter(([, value]) => Number.isFinite(value));
    return shape("polyline", { class: kind, points: points.map(([at, value]) => `${at.toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
  });
  const texts = [
    shape("text", { x: LEFT - 5, y: y(hi) + 4, "text-anchor": "end" }, readable(hi)),
    shape("text", { x: LEFT - 5, y: y(lo) + 2, "text-anchor": "end" }, readable(lo)),
    ...layers.map((each) => shape("text", { x: x(each), y: HEIGHT - 6, "text-anchor": "middle" }, String(each))),
  ];
  const marker = layers.includes(layer) ? [shape("line", { class: "now", x1: x(layer), x2: x(layer), y1: TOP - 4, y2: HEIGHT - BOTTOM + 2 })] : [];
  const told = lines.map(({ name, values }) => `${name}: ${values.map((value) => readable(value ?? NaN)).join(", ")}`).join("; ");
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `${title}. Layers ${layers.join(", ")}. ${told}` }, ...marker, ...drawn, ...texts);
  return h("figure", {}, h("figcaption", {}, log ? `${title}, logarithmic` : title), svg);
}

export class DriftCharts {
  /** @param {any} state  as Python sends it, empty where there is none */
  constructor(state) {
    this.state = state;
    this.el = h("div", { class: "vlms-drift", hidden: !state.layers });
    if (!state.layers) return;
    this.norms = decode(state.norms).values;
    this.cosines = decode(state.cosines).values;
    this.cells = state.norms.shape[1];
  }

  /** @param {number} layer @param {number | null} cell */
  show(layer, cell) {
    const { state } = this;
    if (!state.layers) return;
    const own = (values) => state.layers.map((_layer, i) => values[i * this.cells + cell]);
    const lines = (visual, text, values) => [
      { name: "visual tokens, median", kind: "visual", values: visual },
      ...(text.some((value) => value !== null) ? [{ name: "text tokens, median", kind: "text", values: text }] : []),
      ...(cell === null ? [] : [{ name: "this patch", kind: "own", values: own(values) }]),
    ];
    const norms = lines(state.visual_norm, state.text_norm, this.norms);
    const turns = lines(state.visual_cosine, state.text_cosine, this.cosines);
    const key = norms.map(({ name, kind }) => h("span", { class: kind }, name));
    this.el.replaceChildren(
      h("div", { class: "vlms-drift-key" }, ...key),
      lineChart("Length of states", state.layers, norms, layer, true),
      lineChart("Cosine with the state of layer 0", state.layers, turns, layer, false),
    );
  }
}
