// What the panels show, as text: every method's highest patch, and its value at the marked ones.
import { h, readable } from "./dom.js";

/**
 * @param {string} title
 * @param {{label: string, peak: {value: number, place: string} | null, here: number | null}[]} methods
 * @param {string} here  the marked patches; empty where there are none
 */
export function methodTable(title, methods, here) {
  const columns = ["Method", "Highest", "Where", ...(here ? [`At ${here}`] : [])];
  const line = ({ label, peak, here: value }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, label),
      h("td", {}, peak ? readable(peak.value) : "–"),
      h("td", {}, peak ? peak.place : "no map for this token"),
      here ? h("td", {}, value === null ? "–" : readable(value)) : null,
    );
  return h(
    "table",
    { class: "vlms-table vlms-methods-table" },
    h("caption", { title }, title),
    h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, ...methods.map(line)),
  );
}
