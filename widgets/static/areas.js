// An area of a picture, a box or a mask: what part of every patch lies inside, and its border.
import { decode, valueAt } from "./codec.js";

/**
 * @typedef {object} RegionState  the twin of widgets/regions.py
 * @property {number[] | null} box  x0, y0, x1, y1 in pixels
 * @property {string} mask
 * @property {number} picture
 *
 * @typedef {object} OutlineState  a mask as Python sends it
 * @property {string} name
 * @property {number} picture
 * @property {number} width
 * @property {number} height
 * @property {import("./codec.js").Packed} bits  one bit a pixel, rows one after the other
 *
 * @typedef {{width: number, height: number, path: string}} Border  an SVG path and the size of its canvas
 */

export class Areas {
  /**
   * @param {import("./heat_frame.js").GridState[]} grids
   * @param {OutlineState[]} outlines
   * @param {import("./codec.js").Packed} covers  (masks, visual tokens)
   */
  constructor(grids, outlines, covers) {
    this.grids = grids;
    this.outlines = outlines;
    this.covers = decode(covers);
    this.count = grids.reduce((sum, { rows, cols }) => sum + rows * cols, 0);
    this.borders = new Map();
  }

  /** What the masks are called, with their picture where there are several. */
  get names() {
    const several = new Set(this.grids.map(({ picture }) => picture)).size > 1;
    return this.outlines.map(({ name, picture }) => (several ? `${name} (${this.first(picture).label})` : name));
  }

  /** The first grid of a picture. @param {number} picture */
  first(picture) {
    return this.grids.find((grid) => grid.picture === picture);
  }

  /** Number of a region's mask, -1 for a box. @param {RegionState} region */
  indexOf({ mask, picture }) {
    return this.outlines.findIndex((outline) => outline.name === mask && outline.picture === picture);
  }

  /** Part of what every patch sees that lies inside; NaN where it sees nothing of the picture. @param {RegionState} region */
  cover(region) {
    const cover = new Float32Array(this.count).fill(NaN);
    const here = this.grids.filter((grid) => grid.picture === region.picture);
    const [width, height] = here[0].size;
    for (const grid of here) fill(cover, grid, region.box ?? [0, 0, width, height]);
    if (region.box) return cover;
    const index = this.indexOf(region);
    return cover.map((part, cell) => part && valueAt(this.covers, index, cell));
  }

  /** @param {RegionState} region @returns {Border} */
  border(region) {
    if (region.box) {
      const [x0, y0, x1, y1] = region.box;
      const [width, height] = this.first(region.picture).size;
      return { width, height, path: `M${x0} ${y0}H${x1}V${y1}H${x0}Z` };
    }
    const index = this.indexOf(region);
    if (!this.borders.has(index)) this.borders.set(index, traced(this.outlines[index]));
    return this.borders.get(index);
  }

  /** What an area is called. @param {RegionState} region @param {import("./heat_frame.js").GridState} shown */
  name(region, shown) {
    const grid = shown.picture === region.picture ? shown : this.first(region.picture);
    const where = this.grids.length > 1 ? ` of ${grid.label}` : "";
    if (!region.box) return `“${region.mask}”${where}`;
    const [[top, bottom], [left, right]] = touched(grid, region.box);
    return `rows ${top}–${bottom}, columns ${left}–${right}${where}`;
  }
}

/** A box around two cells of a grid. @returns {RegionState} */
export function boxAround(grid, one, other) {
  const [width, height] = grid.size;
  const ends = (a, b, start, extent, count, size) =>
    [Math.min(a, b), Math.max(a, b) + 1].map((edge) => Math.round((start + (edge / count) * extent) * size * 1000) / 1000);
  const place = (cell) => [Math.floor((cell - grid.start) / grid.cols), (cell - grid.start) % grid.cols];
  const [[row, col], [toRow, toCol]] = [place(one), place(other)];
  const [x0, x1] = ends(col, toCol, grid.box[0], grid.box[2], grid.cols, width);
  const [y0, y1] = ends(row, toRow, grid.box[1], grid.box[3], grid.rows, height);
  return { box: [x0, y0, x1, y1], mask: "", picture: grid.picture };
}

/** Sum of a map inside an area by its sum over all patches that count; null where the map is empty. */
export function shareInside(set, row, cover) {
  let [inside, all] = [0, 0];
  for (let cell = 0; cell < cover.length; cell++) {
    if (Number.isNaN(cover[cell])) continue;
    const value = Math.max(0, set.value(row, cell));
    inside += value * cover[cell];
    all += value;
  }
  return all > 0 ? inside / all : null;
}

/** The share of a map that is the same everywhere. @param {Float32Array} cover */
export function ownShare(cover) {
  const counted = cover.filter((part) => !Number.isNaN(part));
  return counted.reduce((sum, part) => sum + part, 0) / (counted.length || 1);
}

/** Edges of a grid's rows and columns in pixels: start and step of both. */
function pitch({ box: [left, top, width, height], size, rows, cols }) {
  return { x: left * size[0], y: top * size[1], dx: (width * size[0]) / cols, dy: (height * size[1]) / rows };
}

/** The part of every cell of a grid that lies in a box, of what lies in the picture. */
function fill(cover, grid, [x0, y0, x1, y1]) {
  const { x, y, dx, dy } = pitch(grid);
  const [width, height] = grid.size;
  const part = (from, to, low, high) => {
    const seen = Math.min(high, to) - Math.max(low, from);
    return (first, last) => (seen > 1e-6 ? Math.max(0, Math.min(last, high, to) - Math.max(first, low, from)) / seen : NaN);
  };
  for (let row = 0; row < grid.rows; row++) {
    const down = part(y + row * dy, y + (row + 1) * dy, 0, height)(y0, y1);
    for (let col = 0; col < grid.cols; col++) {
      cover[grid.start + row * grid.cols + col] = down * part(x + col * dx, x + (col + 1) * dx, 0, width)(x0, x1);
    }
  }
}

/** First and last row and column a box touches; edges in between do not count as touched. */
function touched(grid, [x0, y0, x1, y1]) {
  const { x, y, dx, dy } = pitch(grid);
  const ends = (from, to, start, step, count) => {
    const within = (i) => Math.min(count - 1, Math.max(0, i));
    return [within(Math.floor((from - start) / step + 1e-3)), within(Math.ceil((to - start) / step - 1e-3) - 1)];
  };
  return [ends(y0, y1, y, dy, grid.rows), ends(x0, x1, x, dx, grid.cols)];
}

/** The edges between filled and empty pixels, straight runs joined. @param {OutlineState} outline @returns {Border} */
function traced({ width, height, bits }) {
  const bytes = decode(bits).values;
  const filled = (x, y) => {
    if (x < 0 || y < 0 || x >= width || y >= height) return false;
    const index = y * width + x;
    return Boolean(bytes[index >> 3] & (128 >> (index & 7)));
  };
  const runs = (lines, steps, differs, draw) => {
    let path = "";
    for (let line = 0; line <= lines; line++) {
      for (let i = 0; i < steps; i++) {
        const from = i;
        while (i < steps && differs(line, i)) i++;
        if (i > from) path += draw(line, from, i);
      }
    }
    return path;
  };
  const across = runs(height, width, (y, x) => filled(x, y) !== filled(x, y - 1), (y, from, to) => `M${from} ${y}H${to}`);
  const down = runs(width, height, (x, y) => filled(x, y) !== filled(x - 1, y), (x, from, to) => `M${x} ${from}V${to}`);
  return { width, height, path: across + down };
}
