// A run's tokens beside its picture: a token shows where the model looked, a patch shows for which words it did.
import { pixelTable } from "./colors.js";
import { lookedList, patchTable } from "./details.js";
import { focused, h, readable, say, visibleText } from "./dom.js";
import { pictureUrls } from "./heat_frame.js";
import { legend } from "./legend.js";
import { applySettings, mapSettings, SETTINGS } from "./map_settings.js";
import { MapSet } from "./maps.js";
import { pictureFigure } from "./picture.js";
import { markedPatches, patchEvents, Places } from "./places.js";
import { QueryImage } from "./query_image.js";
import { joinSelection } from "./selection.js";
import { tokenStrips } from "./strips.js";
import { mountView, watch } from "./view.js";

const PATCHES_IN_TABLE = 10;

class TokenImage {
  /** @param {any} model @param {HTMLElement} body @param {AbortSignal} signal */
  constructor(model, body, signal) {
    this.model = model;
    this.root = body;
    this.places = new Places(model.get("grids"), model.get("patches"));
    this.sets = new Map(model.get("methods").map((method) => [method.name, new MapSet(method)]));
    this.controls = mapSettings([...this.sets.values()], Object.keys(model.get("tables")), (name, value) => this.change(name, value));
    this.allLooked = false;
    this.figures = this.makeFigures(signal);
    this.layOut();
    this.selection = joinSelection(model, (_state, changed) => this.refresh(changed), signal);
    watch(model, SETTINGS, () => this.restyle(), signal);
    this.restyle();
  }

  get set() {
    return this.sets.get(this.model.get("method")) ?? null;
  }

  /** The chip the selected token belongs to. */
  get item() {
    return this.strips.itemOf(this.selection.state.token);
  }

  /** Row of that chip in the maps, -1 for none. */
  get row() {
    return this.set && this.item ? this.set.rowOf(this.item.positions) : -1;
  }

  get marked() {
    return this.places.cellsOf(markedPatches(this.selection.state));
  }

  /** Change a setting for scripts and saving too; the model's own event brings it here. */
  change(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  makeFigures(signal) {
    const urls = pictureUrls(this.model.get("pictures"), signal);
    const on = patchEvents(this.places, () => this.selection, (cell) => this.describe(cell));
    return this.places.grids.map((grid) => pictureFigure(grid, urls[grid.picture], on));
  }

  layOut() {
    const c = this.controls;
    this.legend = legend();
    const hover = (item) => this.selection.select({ hovered: item ? { token: item.positions[0] } : null });
    this.strips = tokenStrips(this.model.get("tokens"), (item) => this.choose(item), hover);
    this.key = h("p", { class: "vlms-hint vlms-key" });
    this.panel = h("div", { class: "vlms-panel", role: "region", "aria-label": "Details" });
    this.status = h("div", { class: "vlms-status", role: "status", "aria-live": "polite" });
    const figures = h("div", { class: this.figures.length > 1 ? "vlms-figures many" : "vlms-figures" }, ...this.figures.map((f) => f.el));
    const settings = h("div", { class: "vlms-looks" }, c.opacity.el, c.colormap.el, c.scale.el, c.smooth.el, c.fade.el);
    const kept = this.places.grids.every((grid) => this.model.get("pictures")[grid.picture]);
    const notes = [this.model.get("note"), kept ? "" : "This run kept no pictures: its maps stand on an empty frame."];
    // Without maps there is nothing to set and nothing to read off.
    for (const el of [this.legend.el, settings, this.panel, c.table.el]) el.hidden = !this.sets.size;
    this.root.append(
      h("div", { class: "vlms-bar-top" }, c.method.el, h("span", { class: "vlms-toggles" }, c.words.el, c.table.el)),
      h("div", { class: "vlms-notes" }, ...notes.filter(Boolean).map((note) => h("p", { class: "vlms-notice" }, note))),
      h(
        "div",
        { class: "vlms-columns" },
        h("div", { class: "vlms-left" }, figures, this.legend.el, settings),
        h("div", { class: "vlms-right" }, this.strips.el, this.key, this.panel),
      ),
      h("div", { class: "vlms-foot" }, this.status, h("span", { class: "vlms-source" }, this.model.get("source"))),
    );
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.marked.length) return;
      event.stopPropagation();
      this.selection.select({ patch: null, brush: [], hovered: null });
    });
  }

  /** After a setting: controls, chips, then everything that depends on the selection. */
  restyle() {
    applySettings(this);
    this.refresh(null);
  }

  choose(item) {
    this.selection.select({ token: item.positions[0] });
  }

  /** Redraw what the changed fields of the selection touch. @param {Set<string> | null} changed  null means all */
  refresh(changed) {
    if (!this.selection) return; // joining may select before there is anything to draw
    const touches = (...names) => changed === null || names.some((name) => changed.has(name));
    if (touches("token")) this.paint(this.row);
    if (touches("token", "patch", "brush")) {
      if (touches("patch", "brush") && changed) this.allLooked = false;
      this.showDetails(this.row);
      say(this.status, this.sentence(this.row));
    }
    if (touches("token", "patch", "brush", "hovered")) {
      this.outline(this.row);
      this.shadeChips();
    }
  }

  paint(row) {
    const { set } = this;
    const table = this.model.get("tables")[this.model.get("colormap")];
    const scale = row < 0 ? null : set.scaleOf(row, this.model.get("scale"));
    const pixels = scale && pixelTable(table, set.data.lo[row], set.data.hi[row], scale, this.model.get("fade"));
    for (const figure of this.figures) figure.paint(pixels && set.data.values, pixels ? row * set.data.size : 0, pixels);
    const detail = { token: this.selection.state.token, method: set?.name ?? null };
    this.root.dispatchEvent(new CustomEvent("vlmscope:painted", { bubbles: true, detail }));
  }

  outline(row) {
    const [hovered = null] = this.places.cellsOf([this.selection.state.hovered?.patch]);
    const shown = hovered ?? this.marked[0] ?? null;
    const scale = row < 0 ? null : this.set.scaleOf(row, this.model.get("scale"));
    const value = row < 0 || shown === null ? null : this.set.value(row, shown);
    this.figures.forEach((figure) => figure.mark(this.marked, hovered, row < 0 ? null : this.set.peak(row).cell));
    const hint = scale ? "Point at the picture to read values." : "Click a token to see its map.";
    this.legend.show(scale, value, shown === null ? "" : this.describe(shown), hint);
  }

  shadeChips() {
    const { token, hovered } = this.selection.state;
    const cells = this.marked;
    const strength = (item) => {
      const row = this.set ? this.set.rowOf(item.positions) : -1;
      if (row < 0) return null;
      return this.set.share(cells.length ? this.set.mean(row, cells) : this.set.data.hi[row]);
    };
    this.strips.update(token, strength, hovered?.token, cells.length > 0);
    const shading = `Shading: how much each token looked at the marked ${cells.length > 1 ? "patches" : "patch"}. Escape clears.`;
    const underline = "Underline: the highest value in a token’s map. Click a token to see where.";
    this.key.hidden = !this.set;
    this.key.textContent = cells.length ? shading : underline;
  }

  showDetails(row) {
    const parts = [];
    if (this.marked.length && this.set) parts.push(this.lookedAt());
    if (this.model.get("table") && row >= 0) parts.push(this.strongest(row));
    const hint = this.set && h("p", { class: "vlms-hint" }, "Click a patch of the picture to see which words looked there.");
    // What is replaced takes the focus with it: the button in the same place gets it back.
    const held = [...this.panel.querySelectorAll("button")].indexOf(focused(this.panel));
    this.panel.replaceChildren(...(parts.length || !hint ? parts : [hint]));
    const buttons = [...this.panel.querySelectorAll("button")];
    if (held >= 0) (buttons[held] ?? buttons.at(-1))?.focus();
  }

  lookedAt() {
    const cells = this.marked;
    const looked = this.strips.items
      .map((item) => ({ item, row: this.set.rowOf(item.positions) }))
      .filter(({ row }) => row >= 0)
      .map(({ item, row }) => ({ item, value: this.set.mean(row, cells) }))
      .map((one) => ({ ...one, share: this.set.share(one.value) }))
      .sort((a, b) => b.value - a.value);
    const where = cells.length === 1 ? this.places.name(cells[0]) : `${cells.length} patches (mean)`;
    const more = () => {
      this.allLooked = !this.allLooked;
      this.showDetails(this.row);
    };
    return lookedList(`Who looked at ${where}`, looked, this.allLooked, this.selection.state.token, (item) => this.choose(item), more);
  }

  strongest(row) {
    const several = this.places.grids.length > 1;
    const patches = this.set.top(row, PATCHES_IN_TABLE).map(({ cell, value }) => {
      const { grid, row: line, col } = this.places.locate(cell);
      return { where: [...(several ? [grid.label] : []), String(line), String(col)], value };
    });
    const columns = [...(several ? ["Picture"] : []), "Row", "Column", "Value"];
    return patchTable(`Strongest patches for “${visibleText(this.item.text)}”`, patches, columns);
  }

  /** What is selected, for the foot of the view and for screen readers. */
  sentence(row) {
    const { item, set } = this;
    if (!item) return "No token selected.";
    const several = item.positions.length > 1;
    const name = `${several ? "Tokens" : "Token"} ${item.positions[0]}${several ? `–${item.positions.at(-1)}` : ""} “${visibleText(item.text)}”`;
    if (row < 0) return `${name}: no map.`;
    const { cell, value } = set.peak(row);
    const [pinned] = this.marked;
    const there = pinned === undefined ? "" : ` · ${this.describe(pinned)}`;
    return `${name} · peak ${readable(value)} at ${this.places.name(cell)}${there} · ${set.label}`;
  }

  describe(cell) {
    const { row } = this;
    return row < 0 ? this.places.name(cell) : `${this.places.name(cell)}: ${readable(this.set.value(row, cell))}`;
  }
}

function renderTokenImage(context) {
  // Learned queries have no patch of their own: what is shown of them is another thing.
  const Kind = context.model.get("queries")?.items ? QueryImage : TokenImage;
  return mountView(context, "token-image", "Tokens and picture", (body, signal) => void new Kind(context.model, body, signal));
}

const tokenImage = { render: renderTokenImage };
export default tokenImage;
