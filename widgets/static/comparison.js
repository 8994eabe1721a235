// What the methods say about one token: values, shares and sentences, without a screen.
import { ownShare, shareInside } from "./areas.js";
import { readable, visibleText } from "./dom.js";
import { percent, ranked } from "./shares.js";

const SPOKEN = 3;

export class Comparison {
  /**
   * @param {import("./maps.js").MapSet[]} sets
   * @param {import("./places.js").Places} places
   * @param {import("./areas.js").Areas} areas
   */
  constructor(sets, places, areas) {
    this.sets = sets;
    this.places = places;
    this.areas = areas;
    this.item = null;
    /** Values at the ends of the shared scale. @type {[number, number]} */
    this.joint = [Math.min(0, ...sets.map((set) => set.joint[0])), Math.max(0, ...sets.map((set) => set.joint[1]))];
  }

  /** Row of the token's map, -1 for none. */
  rowOf(set) {
    return this.item ? set.rowOf(this.item.positions) : -1;
  }

  /** Values at the two ends of the colours; null where there is no map. */
  endsOf(set, stretch) {
    const row = this.rowOf(set);
    return row < 0 ? null : stretch ? set.scaleOf(row, "each") : this.joint;
  }

  /** Mean value at some cells, null where there are none or no map. @param {number[]} cells */
  valueAt(set, cells) {
    const row = this.rowOf(set);
    return row < 0 || !cells.length ? null : set.mean(row, cells);
  }

  peakOf(set) {
    const row = this.rowOf(set);
    if (row < 0) return null;
    const { cell, value } = set.peak(row);
    return { cell, value, place: this.places.name(cell) };
  }

  /** Every method's highest patch and its value at some cells. @param {number[]} cells */
  summary(cells) {
    return this.sets.map((set) => ({ label: set.label, peak: this.peakOf(set), here: this.valueAt(set, cells) }));
  }

  /** A patch and its value by one method. @param {number} cell */
  describe(set, cell) {
    const value = this.valueAt(set, [cell]);
    return value === null ? this.places.name(cell) : `${this.places.name(cell)}: ${readable(value)}`;
  }

  /** Every method's share inside a region, and the region's own. @param {import("./areas.js").RegionState} region */
  sharesOf(region) {
    const cover = this.areas.cover(region);
    const share = (set) => (this.rowOf(set) < 0 ? null : shareInside(set, this.rowOf(set), cover));
    const shares = this.sets.map((set) => ({ name: set.name, label: set.label, control: set.control, share: share(set) }));
    return { shares, own: ownShare(cover) };
  }

  /** @param {number[]} cells */
  placeOf(cells) {
    return cells.length === 1 ? this.places.name(cells[0]) : `${cells.length} patches (mean)`;
  }

  /** What is selected, for the foot of the view and for screen readers. */
  sentence(region, grid, cells) {
    const { item } = this;
    if (!item) return "No token selected.";
    const parts = [`“${visibleText(item.text)}”`];
    if (region) {
      const { shares, own } = this.sharesOf(region);
      const known = ranked(shares).filter(({ share }) => share !== null);
      const inside = `inside ${this.areas.name(region, grid)}, ${percent(own)} of the picture`;
      parts.push(`${inside}: ${few(known.map(({ label, share }) => `${label} ${percent(share)}`))}`);
    }
    if (cells.length) {
      const values = this.sets.map((set) => ({ label: set.label, value: this.valueAt(set, cells) }));
      const known = values.filter(({ value }) => value !== null).sort((a, b) => b.value - a.value);
      parts.push(`${this.placeOf(cells)}: ${few(known.map(({ label, value }) => `${label} ${readable(value)}`))}`);
    }
    const mapped = this.sets.filter((set) => this.rowOf(set) >= 0).length;
    if (parts.length === 1) parts.push(mapped ? `maps by ${mapped} of ${this.sets.length} methods` : "no map");
    return parts.join(" · ");
  }
}

/** The first few of a list in words, and how many more. @param {string[]} all */
function few(all) {
  const more = all.length - SPOKEN;
  return all.length ? `${all.slice(0, SPOKEN).join(", ")}${more > 0 ? ` and ${more} lower` : ""}` : "no map";
}
