// Layers times heads, or layers times positions: signed colours, one cell selected, keys and pointer move it.
import { decode } from "./codec.js";
import { h, readable, say } from "./dom.js";
import { everyOf } from "./flow_svg.js";

const AGAINST_ZERO = [62, 118, 196];
const ABOVE_ZERO = [214, 104, 20];

/**
 * @param {any} state  title, about, layers, columns, packed, and perhaps bands
 * @param {(row: number, col: number) => void} choose
 */
export function flowGrid(state, choose) {
  const { layers, columns } = state;
  const [rows, cols] = [layers.length, columns.length];
  const { values } = decode(state.packed);
  const highest = values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const canvas = paintedCells(values, rows, cols, highest || 1);
  const cell = h("div", { class: "at-cell", hidden: true });
  const line = h("div", { class: "at-row", hidden: true });
  const said = h("p", { class: "vlms-hint readout" });
  const surface = h("div", { class: "surface", role: "grid", tabindex: 0, "aria-label": state.title, "aria-rowcount": rows, "aria-colcount": cols }, canvas, line, cell);
  surface.style.setProperty("height", `${Math.min(420, Math.max(130, rows * 26))}px`);
  const every = everyOf(rows, 13);
  const labels = h("div", { class: "layers", "aria-hidden": "true" }, ...layers.map((_, i) => rows - 1 - i).map((row) => h("span", {}, row % every ? "" : layers[row])));
  const el = h(
    "figure",
    { class: "heat" },
    h("figcaption", {}, state.title, h("span", { class: "vlms-hint" }, state.about)),
    h("div", { class: "frame" }, labels, surface, h("span", {}), columnLabels(state)),
    h("p", { class: "scale vlms-hint" }, signedNumber(-highest), h("span", { class: "bar" }), signedNumber(highest), said),
  );

  let at = [-1, -1];
  const describe = (row, col) => `layer ${layers[row]}, ${columns[col]}: ${signedNumber(values[row * cols + col])}`;
  const read = (row, col) => say(said, row < 0 || col < 0 ? "Point at a cell, or click it." : describe(row, col));
  const place = (mark, left, row, width) => {
    const part = { left: `${(100 * left) / cols}%`, width: `${(100 * width) / cols}%`, top: `${(100 * (rows - 1 - row)) / rows}%`, height: `${100 / rows}%` };
    Object.entries(part).forEach(([name, value]) => mark.style.setProperty(name, value));
  };
  const under = (event) => {
    const box = surface.getBoundingClientRect();
    const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const within = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return [rows - 1 - within(down, rows), within(across, cols)];
  };
  surface.addEventListener("pointermove", (event) => read(...under(event)));
  surface.addEventListener("pointerleave", () => read(...at));
  surface.addEventListener("click", (event) => choose(...under(event)));
  surface.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [1, 0], ArrowDown: [-1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Enter: [0, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const [row, col] = at[0] < 0 || at[1] < 0 ? strongest(values, cols) : [at[0] + step[0], at[1] + step[1]];
    choose(Math.min(rows - 1, Math.max(0, row)), Math.min(cols - 1, Math.max(0, col)));
  });
  return {
    el,
    describe,
    /** @param {number} row  -1 for none @param {number} col  -1 for none */
    show(row, col) {
      at = [row, col];
      line.hidden = row < 0;
      cell.hidden = row < 0 || col < 0;
      if (row >= 0) place(line, 0, row, cols);
      if (row >= 0 && col >= 0) place(cell, col, row, 1);
      surface.setAttribute("aria-description", row < 0 || col < 0 ? "nothing selected" : describe(row, col));
      read(row, col);
    },
  };
}

/** A canvas of one pixel a cell, the first layer at the bottom; what is no number stays empty. */
function paintedCells(values, rows, cols, highest) {
  const canvas = h("canvas", { width: cols, height: rows, "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(cols, rows);
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) return;
    const to = ((rows - 1 - Math.floor(index / cols)) * cols + (index % cols)) * 4;
    const colour = value < 0 ? AGAINST_ZERO : ABOVE_ZERO;
    image.data.set([...colour, Math.round(255 * Math.abs(value / highest))], to);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Names of few columns, or of the groups that many fall into. */
function columnLabels({ columns, bands }) {
  const runs = bands && columns.length > 16 ? bands : columns.map((name, at) => [at, at, name]);
  const every = everyOf(runs.length, 16);
  const named = runs.map(([first, last, name], at) => {
    const share = (last - first + 1) / columns.length;
    const text = at % every || (bands && share < 0.05) ? "" : name.replace(/^head /, "");
    const label = h("span", { title: name }, text);
    label.style.setProperty("flex", `${last - first + 1} 1 0`);
    return label;
  });
  return h("div", { class: "columns", "aria-hidden": "true" }, ...named);
}

function strongest(values, cols) {
  const best = values.reduce((most, value, at) => (Math.abs(value) > Math.abs(values[most]) ? at : most), 0);
  return [Math.floor(best / cols), best % cols];
}

/** With a sign in front, which colours alone would not say. */
function signedNumber(value) {
  if (!Number.isFinite(value)) return "–";
  return `${value < 0 ? "−" : value > 0 ? "+" : ""}${readable(Math.abs(value))}`;
}
