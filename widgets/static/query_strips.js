// The learned queries as strips of chips, one for each picture, frame or tile they look at.
import { h } from "./dom.js";
import { tokenStrip } from "./tokens.js";

/**
 * @param {(import("./tokens.js").Item & {grid: number})[]} items  one for each query
 * @param {import("./heat_frame.js").GridState[]} grids
 * @param {(item: import("./tokens.js").Item) => void} onChoose
 * @param {(item: import("./tokens.js").Item | null) => void} onHover
 */
export function queryStrips(items, grids, onChoose, onHover) {
  const strips = grids.map((grid, i) => {
    const title = grids.length > 1 ? `Queries · ${grid.label}` : "Queries";
    const strip = tokenStrip(title, items.filter((item) => item.grid === i), onChoose, onHover);
    return { ...strip, el: h("div", { class: "vlms-queries" }, h("h3", { "aria-hidden": "true" }, title), strip.el) };
  });
  return {
    el: h("div", { class: "vlms-strips" }, ...strips.map((strip) => strip.el)),
    /** As that of a strip of tokens. @type {(position: number | null, strengthOf: any, hovered: number | undefined) => void} */
    update: (...now) => strips.forEach((strip) => strip.update(...now)),
  };
}
