// Choosing an area: dragged with the pointer, grown with Shift and arrow keys, or picked from a list.
import { boxAround } from "./areas.js";
import { dropdown } from "./controls.js";
import { h } from "./dom.js";
import { dragBox } from "./drag_box.js";

const ADVICE = "Drag a box on any picture, or hold Shift with the arrow keys, to see how much of every map lies inside.";

export class AreaTool {
  /**
   * @param {any} model  with the trait "region"
   * @param {import("./areas.js").OutlineState[]} outlines
   * @param {string[]} names  of the masks
   * @param {{grid: () => any, marked: () => number[], show: (picture: number) => void, draft: () => void}} on  the grid on
   *   the screen and its marked cells; another picture is wanted; a box is being dragged
   */
  constructor(model, outlines, names, on) {
    this.model = model;
    this.outlines = outlines;
    this.on = on;
    this.draft = null;
    this.stops = [];
    this.anchor = this.reached = null;
    const masks = names.map((label, index) => ({ value: String(index), label }));
    const options = [{ value: "", label: "none" }, { value: "box", label: "box" }, ...masks];
    this.choice = dropdown("Area", options, (value) => this.choose(value));
    this.clear = h("button", { type: "button", onclick: () => this.set(null) }, "Clear");
    this.parts = [this.choice.el, this.clear, h("span", { class: "vlms-hint" }, ADVICE)];
  }

  /** The area measured now, also while it is being dragged. @returns {import("./areas.js").RegionState | null} */
  get region() {
    return this.draft ?? this.model.get("region") ?? null;
  }

  set(region) {
    this.draft = null;
    if (!region) this.reached = null;
    this.model.set("region", region);
    this.model.save_changes();
  }

  /** Listen on the surfaces of all panels. @param {HTMLElement[]} surfaces */
  listen(surfaces) {
    this.stops = surfaces.map((surface) => dragBox(surface, (box, finished) => this.dragged(box, finished)));
  }

  /** Everybody follows a box while it is dragged, but Python hears of it only when it is finished. */
  dragged(parts, finished) {
    const box = parts && wholePixels(parts, this.on.grid());
    if (box && finished) return this.set(box);
    this.draft = box;
    return this.on.draft();
  }

  /** Grow the box from the patch where Shift was first held. @param {number} from @param {number} to */
  extend(from, to) {
    if (this.reached !== from) this.anchor = from;
    this.reached = to;
    this.set(boxAround(this.on.grid(), this.anchor, to));
  }

  choose(value) {
    if (value === "") return this.set(null);
    if (value === "box") return this.set(this.firstBox());
    const { name, picture } = this.outlines[Number(value)];
    this.on.show(picture);
    return this.set({ box: null, mask: name, picture });
  }

  /** A box to begin with: around what is marked, or the middle of the picture. */
  firstBox() {
    const grid = this.on.grid();
    const cells = this.on.marked().filter((cell) => cell >= grid.start && cell < grid.start + grid.rows * grid.cols);
    const at = (part) => grid.start + Math.floor(part * grid.rows) * grid.cols + Math.floor(part * grid.cols);
    return cells.length ? boxAround(grid, cells[0], cells.at(-1)) : boxAround(grid, at(0.25), at(0.7));
  }

  /** Undo a box being dragged, or else the area; says whether there was one. */
  giveUp() {
    if (this.stops.some((stop) => stop())) return true;
    if (!this.region) return false;
    this.set(null);
    return true;
  }

  /** Show in the list what is measured. */
  update() {
    const { region } = this;
    const index = region ? this.outlines.findIndex(({ name, picture }) => name === region.mask && picture === region.picture) : -1;
    this.choice.set(!region ? "" : region.box ? "box" : String(index));
    this.clear.hidden = !region;
  }
}

/** A dragged box in pixels of the picture, at least one wide and high. */
function wholePixels([left, top, right, bottom], { size: [width, height], picture }) {
  const ends = (from, to, size) => {
    const start = Math.min(size - 1, Math.round(from * size));
    return [start, Math.max(start + 1, Math.round(to * size))];
  };
  const [[x0, x1], [y0, y1]] = [ends(left, right, width), ends(top, bottom, height)];
  return { box: [x0, y0, x1, y1], mask: "", picture };
}
