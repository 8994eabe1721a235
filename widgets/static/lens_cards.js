// What one patch says: a card of labels for every lens, and the best label of every layer as a table.
import { h, readable, visibleText } from "./dom.js";

const AROUND = 26; // characters shown on each side of a token in its sentence

/** A token in its sentence, cut to its neighbourhood; the whole sentence is the title. @param {import("./lens_set.js").LensLabel} label */
function phraseLine({ phrase, span }) {
  if (!span) return h("span", { class: "vlms-phrase", title: phrase }, phrase);
  const [first, last] = span;
  const from = wordEdge(phrase, first - AROUND, first, 1);
  const to = wordEdge(phrase, last + AROUND, last, -1);
  const token = phrase.slice(first, last);
  const gap = token.length - token.trimStart().length;
  return h(
    "span",
    { class: "vlms-phrase", title: phrase },
    from > 0 && "…\u00a0",
    phrase.slice(from, first + gap),
    h("mark", {}, token.trim() === "" ? visibleText(token) : token.slice(gap)),
    phrase.slice(last, to),
    to < phrase.length && "\u00a0…",
  );
}

/** The nearest space to a cut, so that no word is cut; the cut itself where there is none before the token. */
function wordEdge(phrase, cut, token, step) {
  if (cut <= 0) return 0;
  if (cut >= phrase.length) return phrase.length;
  for (let i = cut; step > 0 ? i < token : i > token; i += step) if (phrase[i] === " ") return step > 0 ? i + 1 : i;
  return token;
}

function labelRow(label, chosen, onWord) {
  const badges = label.bankLayers.map((layer) => h("span", { class: "vlms-tag", title: `Text state of layer ${layer}` }, `L${layer}`));
  const word = h(
    "button",
    { type: "button", class: "vlms-label", "aria-pressed": String(chosen), title: "Where else is this said?", onclick: () => onWord(label.text.trim()) },
    visibleText(label.text),
  );
  return h(
    "li",
    { class: label.phrase === null ? "" : "with-phrase" },
    h("span", { class: "vlms-label-line" }, word, ...badges, h("span", { class: "vlms-number" }, readable(label.score))),
    label.phrase !== null && phraseLine(label),
  );
}

/**
 * Labels of one cell under one lens, with what its controls say there.
 * @param {import("./lens_set.js").LensSet} set
 * @param {import("./lens_set.js").LensSet[]} controls
 * @param {{layer: number, cell: number, word: string}} at  the word in the word box, lower case
 * @param {(word: string) => void} onWord
 */
export function lensCard(set, controls, { layer, cell, word }, onWord) {
  const labels = set.labels(layer, cell);
  const unread = set.layers.includes(layer) ? "No label here." : `Layer ${layer} was not read: there are ${set.layers.join(", ")}.`;
  const list = h("ol", { class: "vlms-labels" }, ...labels.map((label) => labelRow(label, label.text.trim().toLowerCase() === word, onWord)));
  return h(
    "section",
    { class: set.phrases.length ? "vlms-lens-card with-phrases" : "vlms-lens-card", "aria-label": set.name },
    h("h3", { title: set.about }, set.name, h("span", { class: "vlms-unit" }, set.unit)),
    labels.length ? list : h("p", { class: "vlms-hint" }, unread),
    ...controls.map((control) => controlLine(set, control, layer, cell)),
  );
}

/** A control at this cell, and over the whole layer in numbers. */
function controlLine(set, control, layer, cell) {
  const here = control.best(layer, cell);
  const row = control.beside.find((each) => each.layer === layer);
  const said = here && `here “${visibleText(here.text)}” ${readable(here.score)}`;
  const share = (value) => `${Math.round(value * 100)} %`;
  // Shuffling moves labels and keeps scores, so only labels compare; a random direction has a score of its own.
  const whole =
    row &&
    (control.control === "shuffled"
      ? `the best label stays the same at ${share(row.same)} of patches`
      : `best labels score ${readable(row.chance)}, this lens’ ${readable(row.median)} (medians); ${share(row.above)} of patches score above all of the control`);
  const text = [whole, said].filter(Boolean).join(" · ");
  return h("p", { class: "vlms-control" }, h("b", {}, control.control), " ", text || "not read in this layer");
}

/**
 * The best label of every layer, a column for each lens.
 * @param {string} title
 * @param {import("./lens_set.js").LensSet[]} sets
 * @param {number[]} layers
 * @param {{layer: number, cell: number, word: string}} at
 * @param {(layer: number) => void} onLayer
 */
export function layersTable(title, sets, layers, { layer, cell, word }, onLayer) {
  const head = h("tr", {}, h("th", { scope: "col" }, "Layer"), ...sets.map((set) => h("th", { scope: "col" }, set.name)));
  const cellOf = (set, each) => {
    const best = set.best(each, cell);
    if (!best) return h("td", {}, "–");
    const said = best.text.trim().toLowerCase() === word ? "said" : "";
    return h("td", { class: said, title: best.phrase }, h("span", {}, visibleText(best.text)), h("span", { class: "vlms-number" }, readable(best.score)));
  };
  const rows = layers.map((each) =>
    h(
      "tr",
      { class: each === layer ? "current" : "" },
      h("th", { scope: "row" }, h("button", { type: "button", "aria-pressed": String(each === layer), onclick: () => onLayer(each) }, each)),
      ...sets.map((set) => cellOf(set, each)),
    ),
  );
  return h("div", { class: "vlms-layers" }, h("table", {}, h("caption", {}, title), h("thead", {}, head), h("tbody", {}, ...rows)));
}
