// Where everything of the comparison stands: controls, words, panels, tables, and the line that says what is selected.
import { h } from "./dom.js";

/**
 * @param {Record<string, any>} controls  made by `compareSettings`
 * @param {Node[]} area     what chooses an area
 * @param {Node} strips     question and answer
 * @param {Node[]} methods  one panel each
 * @param {{missing: string[], pictureless: boolean, source: string, several: boolean, comparable: boolean}} about  why
 *   methods are missing; whether a picture was not kept; where the run comes from; whether there are several pictures;
 *   whether there is anything to compare at all
 */
export function compareFrame(controls, area, strips, methods, about) {
  const c = controls;
  const key = h("p", { class: "vlms-hint vlms-key" });
  const panels = h("div", { class: "vlms-compared" }, ...methods);
  const results = h("div", { class: "vlms-results", role: "region", "aria-label": "Shares and values" });
  const status = h("div", { class: "vlms-status", role: "status", "aria-live": "polite" });
  const tools = h("div", { class: "vlms-tools" }, c.grid.el, ...area);
  const looks = h("div", { class: "vlms-looks" }, c.opacity.el, c.colormap.el, c.stretch.el, c.smooth.el, c.fade.el);
  const work = h("div", { class: "vlms-work" }, tools, panels, looks, results);
  c.grid.el.hidden = !about.several;
  work.hidden = c.table.el.hidden = !about.comparable;
  const parts = [
    h("div", { class: "vlms-bar-top" }, c.shown.el, h("span", { class: "vlms-toggles" }, c.words.el, c.table.el)),
    h("div", { class: "vlms-notes" }, about.pictureless && pictureless(), about.missing.length > 0 && missing(about)),
    h("div", { class: "vlms-said" }, strips, key),
    work,
    h("div", { class: "vlms-foot" }, status, h("span", { class: "vlms-source" }, about.source)),
  ];
  return { parts, key, panels, results, status };
}

function pictureless() {
  return h("p", { class: "vlms-notice" }, "This run kept no pictures: its maps stand on empty frames.");
}

/** Folded, unless it is all there is to say. */
function missing({ missing: lines, comparable }) {
  const summary = h("summary", {}, "Methods that are not shown");
  return h("details", { class: "vlms-missing", open: !comparable }, summary, ...lines.map((line) => h("p", {}, line)));
}
