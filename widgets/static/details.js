// The map in words: the patches one token looked at most, and the tokens that looked at one patch.
import { h, readable, visibleText } from "./dom.js";

const FIRST_FEW = 8;

/**
 * @typedef {object} Looked  one token and its value at the pinned patches
 * @property {import("./tokens.js").Item} item
 * @property {number} value
 * @property {number} share  0 to 1
 */

/**
 * Tokens by how much they looked at the pinned patches.
 * @param {string} title
 * @param {Looked[]} looked  highest first
 * @param {boolean} all      whether those behind the first few are shown too
 * @param {number | null} selected  position of the selected token
 * @param {(item: import("./tokens.js").Item) => void} onChoose
 * @param {() => void} onMore  show the rest, or hide it again
 */
export function lookedList(title, looked, all, selected, onChoose, onMore) {
  const rows = looked.slice(0, all ? undefined : FIRST_FEW).map(({ item, value, share }) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "vlms-bar",
          "aria-pressed": String(item.positions.includes(selected)),
          style: { "--share": share.toFixed(3) },
          onclick: () => onChoose(item),
        },
        h("span", { class: "vlms-bar-text" }, visibleText(item.text)),
        h("span", { class: "vlms-bar-track" }, h("span", { class: "vlms-bar-fill" })),
        h("span", { class: "vlms-number" }, readable(value)),
      ),
    ),
  );
  const label = all ? `only the highest ${FIRST_FEW}` : `and ${looked.length - FIRST_FEW} lower`;
  const more =
    looked.length > FIRST_FEW &&
    h("button", { type: "button", class: "vlms-more", "aria-expanded": String(all), onclick: onMore }, label);
  return h("div", {}, h("h3", {}, title), h("ol", { class: "vlms-bars" }, ...rows), more);
}

/**
 * The strongest patches of one token as a table.
 * @param {string} title
 * @param {{where: string[], value: number}[]} patches  highest first; where matches the first columns
 * @param {string[]} columns
 */
export function patchTable(title, patches, columns) {
  const head = h("tr", {}, h("th", { scope: "col" }, "#"), ...columns.map((name) => h("th", { scope: "col" }, name)));
  const rows = patches.map(({ where, value }, i) =>
    h("tr", {}, h("th", { scope: "row" }, i + 1), ...where.map((part) => h("td", {}, part)), h("td", {}, readable(value))),
  );
  return h(
    "table",
    { class: "vlms-table" },
    h("caption", { title }, title),
    h("thead", {}, head),
    h("tbody", {}, ...rows),
  );
}
