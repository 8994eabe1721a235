// One reading as Python sends it (widgets/reading_states.py): what each cell of the grids says in each layer.
import { decode } from "./codec.js";

/**
 * @typedef {object} LensLabel
 * @property {string} text
 * @property {number} score           in the unit of its `LensSet`
 * @property {string | null} phrase   the sentence it stands in
 * @property {[number, number] | null} span  first and last character of the token there
 * @property {number[]} bankLayers    layers of a bank, more than one where the same place was found several times
 */

/** A word as it is compared: without case, spaces around it, or the way its accents are written. @param {string} text */
export function plainWord(text) {
  return text.trim().toLowerCase().normalize("NFC");
}

export class LensSet {
  /** @param {any} state */
  constructor(state) {
    Object.assign(this, { name: state.name, unit: state.unit, control: state.control, about: state.about });
    Object.assign(this, { method: state.method, notes: state.notes, layers: state.layers, of: state.of, beside: state.beside });
    this.entries = state.entries;
    this.phrases = state.phrases;
    this.ids = decode(state.ids).values;
    this.scores = decode(state.scores).values;
    this.banks = state.bank_layers ? decode(state.bank_layers).values : null;
    [, this.cells, this.k] = state.ids.shape;
    this.plain = this.entries.map(([text]) => plainWord(text));
  }

  /** First of the k places of a cell in the arrays, -1 where the layer was not read. */
  start(layer, cell) {
    const at = this.layers.indexOf(layer);
    return at < 0 ? -1 : (at * this.cells + cell) * this.k;
  }

  /** Labels of a cell, best first; a place of a sentence that several layers of a bank found is one label. @returns {LensLabel[]} */
  labels(layer, cell) {
    const start = this.start(layer, cell);
    if (start < 0) return [];
    const found = new Map();
    for (let i = start; i < start + this.k; i++) {
      const id = this.ids[i];
      if (id < 0) continue;
      if (!found.has(id)) found.set(id, this.label(i));
      else if (this.banks) found.get(id).bankLayers.push(this.banks[i]);
    }
    return [...found.values()];
  }

  /** The best label of a cell, null for none. */
  best(layer, cell) {
    const start = this.start(layer, cell);
    return start < 0 || this.ids[start] < 0 ? null : this.label(start);
  }

  label(at) {
    const [text, phrase, first, last] = this.entries[this.ids[at]];
    return {
      text,
      score: this.scores[at],
      phrase: phrase < 0 ? null : this.phrases[phrase],
      span: first < 0 ? null : [first, last],
      bankLayers: this.banks ? [this.banks[at]] : [],
    };
  }

  /** Score of the best label of every cell in a layer, NaN where there is none. */
  bestScores(layer) {
    return this.perCell(layer, (start) => (this.ids[start] < 0 ? NaN : this.scores[start]));
  }

  /** Highest score with which a word is among the labels of every cell, NaN where it is not. @param {string} word */
  wordScores(layer, word) {
    const wanted = plainWord(word);
    return this.perCell(layer, (start) => {
      for (let i = start; i < start + this.k; i++) if (this.ids[i] >= 0 && this.plain[this.ids[i]] === wanted) return this.scores[i];
      return NaN;
    });
  }

  /** Words that are the best label of most cells in a layer. @returns {{word: string, count: number}[]} */
  frequent(layer, count) {
    const counts = new Map();
    for (let cell = 0; cell < this.cells; cell++) {
      const start = this.start(layer, cell);
      const word = start < 0 || this.ids[start] < 0 ? "" : this.plain[this.ids[start]];
      if (/\p{L}|\p{N}/u.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const sorted = [...counts].map(([word, n]) => ({ word, count: n })).sort((a, b) => b.count - a.count);
    return sorted.slice(0, count);
  }

  perCell(layer, value) {
    const out = new Float32Array(this.cells).fill(NaN);
    if (this.layers.includes(layer)) for (let cell = 0; cell < this.cells; cell++) out[cell] = value(this.start(layer, cell));
    return out;
  }
}

/**
 * Values as codes for a canvas: 0 stands for none, 1 to 255 span the finite values.
 * @param {Float32Array} values
 */
export function codesOf(values) {
  let [lo, hi] = [Infinity, -Infinity];
  for (const value of values) if (Number.isFinite(value)) [lo, hi] = [Math.min(lo, value), Math.max(hi, value)];
  if (lo > hi) return null;
  const codes = new Uint8Array(values.length);
  const step = hi > lo ? hi - lo : 1;
  values.forEach((value, i) => (codes[i] = Number.isFinite(value) ? 1 + Math.round(((value - lo) / step) * 254) : 0));
  return { codes, lo, hi };
}
