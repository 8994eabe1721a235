// The maps of one method: which row belongs to which token or word, and what its numbers mean.
import { decode, peakOf, valueAt } from "./codec.js";

/**
 * @typedef {object} MethodState  as Python sends it
 * @property {string} name
 * @property {string} label
 * @property {string} about      one line: what it is and where it comes from
 * @property {boolean} control   whether it is there to compare with
 * @property {number[]} positions  sequence position of every token row
 * @property {number[][]} words    positions of every word row; these rows follow the token rows
 * @property {import("./codec.js").Packed} packed  (tokens + words, visual tokens)
 */

export class MapSet {
  /** @param {MethodState} method */
  constructor(method) {
    this.name = method.name;
    this.label = method.label;
    this.about = method.about;
    this.control = method.control;
    this.data = decode(method.packed);
    this.rows = new Map(method.positions.map((position, row) => [String(position), row]));
    method.words.forEach((positions, i) => this.rows.set(positions.join(), method.positions.length + i));
    /** Lowest and highest value of all token maps together. @type {[number, number]} */
    this.joint = [Math.min(...this.data.lo), Math.max(...this.data.hi)];
  }

  /** Row of a token or word; -1 where the method has no map for it. @param {number[]} positions */
  rowOf(positions) {
    return this.rows.get(positions.join()) ?? -1;
  }

  /** Rows of those pieces that have a map of their own. @param {number[]} positions */
  piecesOf(positions) {
    return positions.filter((position) => this.rows.has(String(position)));
  }

  value(row, cell) {
    return valueAt(this.data, row, cell);
  }

  /** Mean of a row over some cells. @param {number} row @param {number[]} cells */
  mean(row, cells) {
    return cells.reduce((sum, cell) => sum + this.value(row, cell), 0) / cells.length;
  }

  /** The cell a row is highest at, and its value. */
  peak(row) {
    const cell = peakOf(this.data, row);
    return { cell, value: this.value(row, cell) };
  }

  /** The cells of the largest values, highest first. @param {number} row @param {number} count */
  top(row, count) {
    const start = row * this.data.size;
    const codes = this.data.values.subarray(start, start + this.data.size);
    return Array.from(codes.keys())
      .sort((a, b) => codes[b] - codes[a] || a - b)
      .slice(0, count)
      .map((cell) => ({ cell, value: this.value(row, cell) }));
  }

  /** Ends of the colour map for a row. @param {number} row @param {string} scale "joint" or "each" */
  scaleOf(row, scale) {
    return scale === "each" ? [this.data.lo[row], this.data.hi[row]] : this.joint;
  }

  /** Where a value lies between the ends of the joint scale, 0 to 1. @param {number} value */
  share(value) {
    const [lo, hi] = this.joint;
    return hi > lo ? Math.min(1, Math.max(0, (value - lo) / (hi - lo))) : 0;
  }
}
