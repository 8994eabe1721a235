// Every method's share inside an area as a table with bars, highest first, the area's own share among them.
import { h } from "./dom.js";

/** A share for people: "34.2 %". @param {number | null} share */
export function percent(share) {
  return share === null ? "–" : `${(share * 100).toFixed(share < 0.0995 ? 2 : 1)} %`;
}

/**
 * @typedef {object} Share
 * @property {string} label
 * @property {boolean} control
 * @property {number | null} share  null where there is no map, or an empty one
 *
 * Methods by share, those without one last.
 * @param {Share[]} shares
 */
export function ranked(shares) {
  return [...shares].sort((a, b) => (b.share ?? -1) - (a.share ?? -1));
}

/**
 * @param {string} title
 * @param {Share[]} shares
 * @param {number} own  the area's share of all patches
 */
export function shareTable(title, shares, own) {
  const all = ranked([...shares, { label: "A uniform map", control: true, share: own, own: true }]);
  const longest = Math.max(own, ...shares.map(({ share }) => share ?? 0)) || 1;
  const line = ({ label, control, share, own: isOwn }) =>
    h(
      "tr",
      { class: isOwn ? "own" : control ? "control" : "" },
      h("th", { scope: "row" }, label),
      h("td", { class: "vlms-share-bar" }, bar(share === null ? 0 : share / longest, own / longest)),
      h("td", {}, percent(share)),
      h("td", {}, share === null || !own ? "–" : `${(share / own).toFixed(share / own < 9.95 ? 2 : 1)} ×`),
    );
  const columns = ["Method", "", "Share inside", "vs. uniform"];
  const head = columns.map((name) => (name ? h("th", { scope: "col" }, name) : h("td")));
  return h(
    "table",
    { class: "vlms-table vlms-shares" },
    h("caption", { title }, title),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...all.map(line)),
  );
}

function bar(length, own) {
  const fill = h("span", { class: "vlms-bar-fill", style: { "--share": length.toFixed(4) } });
  const tick = h("span", { class: "vlms-own", style: { "--at": own.toFixed(4) } });
  return h("span", { class: "vlms-bar-holder", "aria-hidden": "true" }, h("span", { class: "vlms-bar-track" }, fill), tick);
}
