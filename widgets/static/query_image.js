// Learned queries beside their picture: a query shows where it looks, a word where it looked through the queries it used.
import { pixelTable } from "./colors.js";
import { dropdown, segmented } from "./controls.js";
import { h, readable, say, visibleText } from "./dom.js";
import { heatFrame, pictureUrls } from "./heat_frame.js";
import { legend } from "./legend.js";
import { applySettings, lookSettings, SETTINGS } from "./map_settings.js";
import { MapSet } from "./maps.js";
import { pictureFigure } from "./picture.js";
import { Places } from "./places.js";
import { QueryDetails } from "./query_details.js";
import { queryStrips } from "./query_strips.js";
import { joinSelection } from "./selection.js";
import { tokenStrips } from "./strips.js";
import { watch } from "./view.js";

const SPANS = [
  { value: "each", label: "this map" },
  { value: "joint", label: "all maps" },
];

/**
 * @typedef {object} QueryState  as Python sends it
 * @property {{position: number, name: string, grid: number}[]} items  the queries; none where nothing was recorded
 * @property {import("./codec.js").Packed} maps  (queries, cells of all grids)
 * @property {number[]} elsewhere  what of each query's attention no patch got, 0 to 1
 * @property {{positions: number[], words: number[][], packed: any, shares: (number | null)[], how: string} | null} use
 *   how much every token, then every word of several pieces, used each query
 */

export class QueryImage {
  /** @param {any} model @param {HTMLElement} body @param {AbortSignal} signal */
  constructor(model, body, signal) {
    this.model = model;
    this.root = body;
    const { items, maps, elsewhere, use } = model.get("queries");
    this.items = items.map(({ position, name, grid }) => ({ positions: [position], text: name, special: false, joined: false, grid }));
    this.places = items.length ? new Places(model.get("grids"), model.get("patches")) : null;
    const positions = items.map(({ position }) => position);
    this.queries = items.length ? new MapSet({ name: "query", label: "Query", about: "", control: false, positions, words: [], packed: maps }) : null;
    this.elsewhere = elsewhere;
    this.use = use && new MapSet({ name: "use", label: "Use", about: use.how, control: false, ...use });
    this.sets = new Map(model.get("methods").map((method) => [method.name, new MapSet(method)]));
    this.controls = this.makeControls();
    this.cell = null; // the pinned patch: patches are no positions of the sequence, so it is this view's own
    this.hovered = null;
    this.figures = this.makeFigures(signal);
    this.layOut();
    this.selection = joinSelection(model, (_state, changed) => this.refresh(changed), signal);
    watch(model, SETTINGS, () => this.restyle(), signal);
    this.restyle();
  }

  /** Row of the chosen query, -1 for none. */
  get query() {
    const { patch } = this.selection.state;
    return this.queries && patch !== null ? this.queries.rowOf([patch]) : -1;
  }

  /** The chip of the selected word. */
  get word() {
    return this.strips.itemOf(this.selection.state.token);
  }

  /** What is painted: the chosen query's map, or else the selected word's. @returns {{set: MapSet, row: number} | null} */
  get shown() {
    if (this.query >= 0) return { set: this.queries, row: this.query };
    const set = this.sets.get(this.model.get("method"));
    const row = set && this.word ? set.rowOf(this.word.positions) : -1;
    return row < 0 ? null : { set, row };
  }

  makeControls() {
    const change = (name, value) => {
      this.model.set(name, value);
      this.model.save_changes();
    };
    // Choosing how words are mapped asks for the word's map, whatever query was shown.
    const choose = (value) => {
      change("method", value);
      this.selection.select({ patch: null });
    };
    const methods = [...this.sets.values()].map((set) => ({ value: set.name, label: set.label, title: set.about, muted: set.control }));
    return {
      method: segmented("Words through", methods, choose),
      scale: dropdown("Scale over", SPANS, (value) => change("scale", value)),
      ...lookSettings(Object.keys(this.model.get("tables")), "Show the strongest patches as text", change),
    };
  }

  makeFigures(signal) {
    const urls = pictureUrls(this.model.get("pictures"), signal);
    const grids = this.model.get("grids");
    if (!this.queries) {
      return grids.map((grid) => {
        const frame = heatFrame(grid, urls[grid.picture]);
        return { ...frame, el: h("figure", { class: "vlms-figure" }, frame.el, h("figcaption", {}, grid.label)), mark: () => {} };
      });
    }
    const on = {
      pin: (cell) => this.pin(cell === this.cell ? null : cell),
      hover: (cell) => {
        this.hovered = cell;
        this.outline();
      },
      describe: (cell) => this.describe(cell),
    };
    return grids.map((grid) => pictureFigure(grid, urls[grid.picture], on));
  }

  layOut() {
    const c = this.controls;
    this.legend = legend();
    const hover = (kind) => (item) => this.selection.select({ hovered: item ? { [kind]: item.positions[0] } : null });
    this.strips = tokenStrips(this.model.get("tokens"), (item) => this.selection.select({ token: item.positions[0], patch: null }), hover("token"));
    this.chips = queryStrips(this.items, this.model.get("grids"), (item) => this.selection.select({ patch: item.positions[0] }), hover("patch"));
    this.caption = h("p", { class: "vlms-shown" });
    this.key = h("p", { class: "vlms-hint vlms-key" });
    this.details = new QueryDetails(this);
    this.status = h("div", { class: "vlms-status", role: "status", "aria-live": "polite" });
    const several = this.figures.length > 1 ? "vlms-figures many" : "vlms-figures";
    const settings = h("div", { class: "vlms-looks" }, c.opacity.el, c.colormap.el, c.scale.el, c.smooth.el, c.fade.el);
    const through = h("span", { class: "vlms-field" }, h("span", {}, "Words through"), c.method.el);
    const kept = this.model.get("grids").every((grid) => this.model.get("pictures")[grid.picture]);
    const notes = [...this.model.get("note").split("\n"), kept ? "" : "This run kept no pictures: its maps stand on an empty frame."];
    // Without maps there is nothing to set and nothing to read off.
    for (const el of [this.legend.el, settings, this.details.el, this.caption, this.chips.el, c.table.el]) el.hidden = !this.queries;
    through.hidden = !this.sets.size;
    this.root.append(
      h("div", { class: "vlms-bar-top" }, through, h("span", { class: "vlms-toggles" }, c.words.el, c.table.el)),
      h("div", { class: "vlms-notes" }, ...notes.filter(Boolean).map((note) => h("p", { class: "vlms-notice" }, note))),
      h(
        "div",
        { class: "vlms-columns" },
        h("div", { class: "vlms-left" }, this.caption, h("div", { class: several }, ...this.figures.map((f) => f.el)), this.legend.el, settings),
        h("div", { class: "vlms-right" }, this.chips.el, this.strips.el, this.key, this.details.el),
      ),
      h("div", { class: "vlms-foot" }, this.status, h("span", { class: "vlms-source" }, this.model.get("source"))),
    );
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || (this.cell === null && this.query < 0)) return;
      event.stopPropagation();
      if (this.cell !== null) this.pin(null);
      else this.selection.select({ patch: null, hovered: null });
    });
  }

  pin(cell) {
    this.cell = cell;
    this.outline();
    this.details.show(false);
  }

  /** After a setting: controls, chips, then everything that depends on the selection. */
  restyle() {
    applySettings(this);
    this.refresh(null);
  }

  /** Redraw what the changed fields of the selection touch. @param {Set<string> | null} changed  null means all */
  refresh(changed) {
    if (!this.selection) return; // joining may select before there is anything to draw
    const touches = (...names) => changed === null || names.some((name) => changed.has(name));
    if (touches("token", "patch")) {
      this.paint();
      this.outline();
      this.details.show(!changed);
      this.tell();
    }
    if (touches("token", "patch", "hovered")) this.shadeChips();
  }

  paint() {
    const { shown } = this;
    const table = this.model.get("tables")[this.model.get("colormap")];
    const scale = shown && shown.set.scaleOf(shown.row, this.model.get("scale"));
    const data = shown?.set.data;
    const pixels = shown && pixelTable(table, data.lo[shown.row], data.hi[shown.row], scale, this.model.get("fade"));
    for (const figure of this.figures) figure.paint(pixels && data.values, pixels ? shown.row * data.size : 0, pixels);
    const detail = { token: this.selection.state.token, patch: this.selection.state.patch };
    this.root.dispatchEvent(new CustomEvent("vlmscope:painted", { bubbles: true, detail }));
  }

  outline() {
    const { shown } = this;
    const cell = this.hovered ?? this.cell;
    const scale = shown && shown.set.scaleOf(shown.row, this.model.get("scale"));
    const pinned = this.cell === null ? [] : [this.cell];
    this.figures.forEach((figure) => figure.mark(pinned, this.hovered, shown && shown.set.peak(shown.row).cell));
    const value = shown && cell !== null ? shown.set.value(shown.row, cell) : null;
    const hint = shown ? "Point at the picture to read shares of attention." : "Click a query or a word to see its map.";
    this.legend.show(scale, value, cell === null ? "" : this.describe(cell), hint);
  }

  /** What the picture shows, in words above it and at the foot. */
  tell() {
    const { shown } = this;
    const tag = (text) => h("span", { class: "vlms-tag" }, text);
    if (!shown) {
      this.caption.replaceChildren("Nothing is shown.");
      return say(this.status, this.queries ? "No query and no mapped word selected." : "");
    }
    const { cell, value } = shown.set.peak(shown.row);
    const peak = `highest ${readable(value)} at ${this.places.name(cell)}`;
    if (this.query >= 0) {
      const item = this.items[this.query];
      this.caption.replaceChildren("Where query ", h("strong", {}, item.text), " looks ", tag("attention"));
      say(this.status, `Query ${item.text} at position ${item.positions[0]} · ${peak}`);
      return;
    }
    const name = `“${visibleText(this.word.text)}”`;
    const kind = shown.set.control ? tag("control") : tag("two-step proxy");
    const how = shown.set.control ? " through all queries alike" : " through the queries it used";
    this.caption.replaceChildren(h("strong", {}, name), `${how} `, kind);
    say(this.status, `${name}${how}, ${shown.set.control ? "a control" : "a two-step proxy"} · ${peak}`);
  }

  shadeChips() {
    const { token, patch, hovered } = this.selection.state;
    const { query } = this;
    const rowOf = (item) => (this.use && item ? this.use.rowOf(item.positions) : -1);
    const used = rowOf(this.word);
    this.chips.update(patch, (item) => (used < 0 ? 0 : this.use.share(this.use.value(used, this.queries.rowOf(item.positions)))), hovered?.patch);
    const shade = (item) => {
      const row = rowOf(item);
      return row < 0 ? null : query < 0 ? 0 : this.use.share(this.use.value(row, query));
    };
    this.strips.update(token, shade, hovered?.token, query >= 0);
    this.key.hidden = !this.use;
    const clears = `Shading: how much each word used ${query < 0 ? "" : this.items[query].text}. Escape goes back to the word.`;
    this.key.textContent = query < 0 ? "Underline of a query: how much the selected word used it." : clears;
  }

  describe(cell) {
    const { shown } = this;
    return shown ? `${this.places.name(cell)}: ${readable(shown.set.value(shown.row, cell))}` : this.places.name(cell);
  }
}
