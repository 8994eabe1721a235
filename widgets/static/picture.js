// One picture with its heat map: drawing, pointing at patches, and walking them with the keyboard.
import { h, say, uniqueId } from "./dom.js";
import { heatFrame, placeOf } from "./heat_frame.js";

const MOVES = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], PageUp: [-1e6, 0], PageDown: [1e6, 0], Home: [0, -1e6], End: [0, 1e6] };

/**
 * @param {import("./heat_frame.js").GridState} grid
 * @param {string | undefined} url  none where the run kept no picture
 * @param {{pin: (patch: number, more: boolean) => void, hover: (patch: number | null) => void, describe: (patch: number) => string,
 *   extend?: (from: number, to: number) => void}} on  extend: the cursor was moved with Shift held
 * @param {{name?: string, keys?: string, over?: Node}} [more]  what a screen reader calls it, more keys it has, and what
 *   lies between map and marks
 */
export function pictureFigure(grid, url, on, { name = grid.label, keys = "", over } = {}) {
  const [left, top, width, height] = grid.box;
  const marks = h("div", { class: "vlms-marks", style: placeOf(grid), "aria-hidden": "true" });
  const cell = h("div", { role: "gridcell", id: uniqueId("cell") });
  const row = h("div", { role: "row" }, cell);
  const surface = h("div", {
    class: "vlms-patches",
    role: "grid",
    tabindex: "0",
    "aria-label": `Patches of ${name}, rows and columns from 0: arrow keys move, Enter pins, Shift and Enter marks more, ${keys}Escape clears`,
    "aria-rowcount": grid.rows,
    "aria-colcount": grid.cols,
    "aria-activedescendant": cell.id,
    "aria-multiselectable": "true",
  }, h("div", { class: "vlms-hidden", role: "rowgroup" }, row));
  const frame = heatFrame(grid, url, ...(over ? [over] : []), marks, surface);
  const el = h("figure", { class: "vlms-figure" }, frame.el, h("figcaption", {}, grid.label));

  let cursor = [0, 0];
  let spoken = -1;
  /** Patch under a pointer event, null outside the grid. */
  const patchAt = (event) => {
    const area = frame.el.getBoundingClientRect();
    const col = Math.floor((((event.clientX - area.left) / area.width - left) / width) * grid.cols);
    const line = Math.floor((((event.clientY - area.top) / area.height - top) / height) * grid.rows);
    if (col < 0 || line < 0 || col >= grid.cols || line >= grid.rows) return null;
    cursor = [line, col];
    return grid.start + line * grid.cols + col;
  };
  const atCursor = () => grid.start + cursor[0] * grid.cols + cursor[1];

  surface.addEventListener("pointermove", (event) => on.hover(patchAt(event)));
  surface.addEventListener("pointerleave", () => on.hover(null));
  surface.addEventListener("click", (event) => {
    const patch = patchAt(event);
    if (patch !== null) on.pin(patch, event.shiftKey);
  });
  surface.addEventListener("focus", () => surface.matches(":focus-visible") && on.hover(atCursor()));
  surface.addEventListener("blur", () => on.hover(null));
  surface.addEventListener("keydown", (event) => {
    const move = MOVES[event.key];
    if (!move && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    event.stopPropagation();
    if (!move) return on.pin(atCursor(), event.shiftKey);
    const whole = event.ctrlKey && (event.key === "Home" || event.key === "End");
    const step = whole ? [move[1], move[1]] : move;
    const from = atCursor();
    cursor = [clamp(cursor[0] + step[0], grid.rows), clamp(cursor[1] + step[1], grid.cols)];
    on.hover(atCursor());
    if (event.shiftKey) on.extend?.(from, atCursor());
  });

  const mark = (patch, kind) => {
    const index = patch - grid.start;
    if (index < 0 || index >= grid.rows * grid.cols) return;
    const style = {
      left: `${((index % grid.cols) / grid.cols) * 100}%`,
      top: `${(Math.floor(index / grid.cols) / grid.rows) * 100}%`,
      width: `${100 / grid.cols}%`,
      height: `${100 / grid.rows}%`,
    };
    marks.append(h("div", { class: `vlms-mark ${kind}`, style }));
  };

  return {
    el,
    surface,
    paint: frame.paint,
    look: frame.look,
    /** Outline patches. @param {number[]} pinned @param {number | null} hovered @param {number | null} peak */
    mark(pinned, hovered, peak) {
      marks.replaceChildren();
      if (peak !== null) mark(peak, "peak");
      pinned.forEach((patch) => mark(patch, "pinned"));
      if (hovered !== null) mark(hovered, "hovered");
      const index = (hovered ?? atCursor()) - grid.start;
      if (index < 0 || index >= grid.rows * grid.cols) return;
      cursor = [Math.floor(index / grid.cols), index % grid.cols];
      if (spoken !== index) {
        spoken = index;
        // A screen reader follows to a new id; it would not read the old cell's new text.
        cell.id = uniqueId("cell");
        surface.setAttribute("aria-activedescendant", cell.id);
        // An index counts from 1 by definition. Its text says what the view says: from 0, like the arrays.
        row.setAttribute("aria-rowindex", String(cursor[0] + 1));
        row.setAttribute("aria-rowindextext", String(cursor[0]));
        cell.setAttribute("aria-colindex", String(cursor[1] + 1));
        cell.setAttribute("aria-colindextext", String(cursor[1]));
      }
      cell.setAttribute("aria-selected", String(pinned.includes(atCursor())));
      say(cell, on.describe(atCursor()));
    },
  };
}

function clamp(value, count) {
  return Math.min(count - 1, Math.max(0, value));
}
