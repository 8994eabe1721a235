// What every patch of a picture says: labels of the selected one for every lens, layer by layer, and where a word is said.
import { decode } from "./codec.js";
import { pixelTable } from "./colors.js";
import { dropdown, field, segmented, slider, toggle } from "./controls.js";
import { focused, h, readable, say, uniqueId, visibleText } from "./dom.js";
import { pictureUrls } from "./heat_frame.js";
import { legend } from "./legend.js";
import { layersTable, lensCard } from "./lens_cards.js";
import { DriftCharts } from "./lens_drift.js";
import { codesOf, LensSet, plainWord } from "./lens_set.js";
import { pictureFigure } from "./picture.js";
import { markedPatches, patchEvents, Places } from "./places.js";
import { joinSelection } from "./selection.js";
import { mountView, watch } from "./view.js";

const LENS_SETTINGS = ["lens", "word", "opacity", "colormap", "smooth", "fade", "table"];
const FREQUENT = 8;

class LensView {
  /** @param {any} model @param {HTMLElement} body @param {AbortSignal} signal */
  constructor(model, body, signal) {
    this.model = model;
    this.root = body;
    this.places = new Places(model.get("grids"), model.get("patches"));
    this.sets = model.get("methods").map((state) => new LensSet(state));
    // A control without its reading stands for itself.
    this.lenses = this.sets.filter((set) => set.of < 0);
    this.layers = [...new Set(this.sets.flatMap((set) => set.layers))].sort((a, b) => a - b);
    this.maps = model.get("maps").map((map) => ({ ...map, decoded: decode(map.values) }));
    this.drift = new DriftCharts(model.get("drift"));
    const urls = pictureUrls(model.get("pictures"), signal);
    const on = patchEvents(this.places, () => this.selection, (cell) => this.describe(cell));
    this.figures = this.places.grids.map((grid) => pictureFigure(grid, urls[grid.picture], on));
    this.controls = this.makeControls();
    this.layOut();
    this.selection = joinSelection(model, (_state, changed) => this.refresh(changed), signal);
    watch(model, LENS_SETTINGS, () => this.restyle(), signal);
    this.restyle();
  }

  /** The layer shown: the selected one, or of those that were read the nearest to it. */
  get layer() {
    const wanted = this.selection.state.layer ?? this.layers[0];
    return this.layers.reduce((best, each) => (Math.abs(each - wanted) < Math.abs(best - wanted) ? each : best));
  }

  get lens() {
    return this.sets.find((set) => set.name === this.model.get("lens")) ?? this.sets[0];
  }

  /** The word in the box, as it is compared. */
  get word() {
    return plainWord(this.model.get("word"));
  }

  /** Cell of the pinned patch; while none is, of the one under the pointer or the keyboard's cursor. */
  get cell() {
    const { state } = this.selection;
    const [cell = null] = this.places.cellsOf([...markedPatches(state), state.hovered?.patch]);
    return cell;
  }

  change(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  makeControls() {
    const to = (name) => (value) => this.change(name, value);
    const colours = Object.keys(this.model.get("tables")).map((name) => ({ value: name, label: name }));
    const lenses = this.lenses.map((set) => ({ value: set.name, label: set.name, title: set.about, muted: Boolean(set.control) }));
    return {
      lens: segmented("Lens that colours the patches", lenses, to("lens")),
      opacity: slider("Opacity", to("opacity")),
      colormap: dropdown("Colours", colours, to("colormap")),
      smooth: toggle("Smooth", "Blend between patches instead of showing each as a square", to("smooth")),
      fade: toggle("Fade low", "Let the picture show through where values are low", to("fade")),
      table: toggle("All layers", "The best label of every layer as a table", to("table")),
      word: this.wordBox(),
    };
  }

  wordBox() {
    const list = h("datalist", { id: uniqueId("words") });
    const exact = [...new Set(this.maps.map((map) => map.word))];
    list.append(...exact.map((word) => h("option", { value: word })));
    const input = h("input", {
      type: "text", list: list.id, placeholder: "any word", spellcheck: "false", autocomplete: "off",
      oninput: () => this.change("word", input.value),
    });
    this.clear = h("button", { type: "button", class: "vlms-clear", onclick: () => (this.change("word", ""), input.focus()) }, "Clear");
    const el = field("Where is it said?", input, this.clear, list);
    return { el, set: (value) => input.value !== value && (input.value = value) };
  }

  layerSlider() {
    const out = h("span", { class: "vlms-number" });
    const input = h("input", {
      type: "range", class: "vlms-layer-range", min: 0, max: Math.max(0, this.layers.length - 1), step: 1, disabled: this.layers.length < 2,
      oninput: () => this.selection.select({ layer: this.layers[input.valueAsNumber] }),
    });
    const set = (layer) => {
      input.valueAsNumber = this.layers.indexOf(layer);
      input.setAttribute("aria-valuetext", `layer ${layer}`);
      out.textContent = layer === 0 ? "0 · input" : String(layer);
    };
    return { el: field("Layer", input, out), set };
  }

  layOut() {
    const c = this.controls;
    this.legend = legend();
    this.what = h("p", { class: "vlms-hint" });
    this.slider = this.layerSlider();
    this.title = h("h3", { class: "vlms-lens-title" });
    this.cards = h("div", { class: "vlms-lens-cards" });
    this.table = h("div", {});
    this.frequent = h("div", { class: "vlms-frequent", role: "group", "aria-label": "Words said most in this layer" });
    this.status = h("div", { class: "vlms-status", role: "status", "aria-live": "polite" });
    // A control repeats what its reading says of itself.
    const known = (set, note) => set.of >= 0 && this.sets[set.of].notes.includes(note);
    const notes = this.sets.flatMap((set) => set.notes.filter((note) => !known(set, note)).map((note) => `${set.name}: ${note}`));
    if (!this.model.get("pictures").length) notes.push("This run kept no pictures: its patches stand on an empty frame.");
    const figures = h("div", { class: this.figures.length > 1 ? "vlms-lens-figures many" : "vlms-lens-figures" }, ...this.figures.map((f) => f.el));
    const looks = h("div", { class: "vlms-looks" }, c.opacity.el, c.colormap.el, c.smooth.el, c.fade.el);
    this.root.append(
      h("div", { class: "vlms-bar-top" }, this.slider.el, c.word.el, h("span", { class: "vlms-toggles" }, c.table.el)),
      h("div", { class: "vlms-notes" }, ...[...new Set(notes)].map((note) => h("p", { class: "vlms-notice" }, note))),
      h(
        "div",
        { class: "vlms-lens-columns" },
        h("div", { class: "vlms-lens-left" }, this.lenses.length > 1 && c.lens.el, figures, this.legend.el, this.what, this.frequent, looks),
        h("div", { class: "vlms-lens-right", role: "region", "aria-label": "What the patch says" }, this.title, this.cards, this.table, this.drift.el),
      ),
      h("div", { class: "vlms-foot" }, this.status, h("span", { class: "vlms-source" }, this.model.get("source"))),
    );
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !markedPatches(this.selection.state).length) return;
      event.stopPropagation();
      this.selection.select({ patch: null, brush: [], hovered: null });
    });
  }

  restyle() {
    const look = Object.fromEntries(LENS_SETTINGS.map((name) => [name, this.model.get(name)]));
    Object.entries(this.controls).forEach(([name, control]) => control.set(look[name]));
    this.figures.forEach((figure) => figure.look(look));
    this.legend.colours(this.model.get("tables")[look.colormap]);
    this.clear.hidden = look.word === "";
    this.refresh(null);
  }

  /** Redraw what the changed fields of the selection touch. @param {Set<string> | null} changed  null means all */
  refresh(changed) {
    if (!this.selection) return; // joining may select before there is anything to draw
    const touches = (...names) => changed === null || names.some((name) => changed.has(name));
    if (touches("layer")) this.paint();
    if (touches("layer", "patch", "brush") || !markedPatches(this.selection.state).length) this.showLabels();
    if (touches("layer", "patch", "brush", "hovered")) this.outline();
  }

  /** Values of all cells in the layer shown, and what they are. */
  values() {
    const { lens, layer, word } = this;
    if (!word) return { values: lens.bestScores(layer), what: `${lens.unit} of the best label` };
    const map = this.maps.find((each) => plainWord(each.word) === word && each.method === lens.method);
    const at = map ? map.layers.indexOf(layer) : -1;
    if (at < 0) return { values: lens.wordScores(layer, word), what: `${lens.unit} where “${word}” is among the ${lens.k} best labels` };
    const size = map.decoded.size / map.layers.length;
    return { values: map.decoded.values.subarray(at * size, (at + 1) * size), what: `${map.unit} of “${word}”, of every patch` };
  }

  paint() {
    this.shown = this.values();
    this.coded = codesOf(this.shown.values);
    this.slider.set(this.layer);
    this.what.textContent = `Colour: ${this.shown.what}.`;
    let pixels = null;
    if (this.coded) {
      const { lo, hi } = this.coded;
      pixels = pixelTable(this.model.get("tables")[this.model.get("colormap")], lo, hi, hi > lo ? [lo, hi] : [lo - 1, hi], this.model.get("fade"));
      pixels[0] = 0; // no value, no colour
    }
    for (const figure of this.figures) figure.paint(this.coded?.codes ?? null, 0, pixels);
    const often = this.lens.frequent(this.layer, FREQUENT).map(({ word, count }) => {
      const pressed = word === this.word;
      const title = `Best label of ${count} ${count === 1 ? "patch" : "patches"}`;
      return h("button", { type: "button", "aria-pressed": String(pressed), title, onclick: () => this.change("word", pressed ? "" : word) }, word, h("small", {}, ` ${count}`));
    });
    this.swap(this.frequent, often.length ? [h("span", {}, "Said most:"), ...often] : []);
    const detail = { layer: this.layer, lens: this.lens.name, word: this.word };
    this.root.dispatchEvent(new CustomEvent("vlmscope:painted", { bubbles: true, detail }));
  }

  /** Put new children into an element; where the focus was on a button of it, the one in the same place gets it back. */
  swap(el, children) {
    const held = [...el.querySelectorAll("button")].indexOf(focused(el));
    el.replaceChildren(...children);
    if (held >= 0) [...el.querySelectorAll("button")].at(Math.min(held, el.querySelectorAll("button").length - 1))?.focus();
  }

  showLabels() {
    const { cell, layer, word } = this;
    const at = { layer, cell, word };
    this.title.textContent = cell === null ? "" : `What ${this.places.name(cell)} says in layer ${layer}`;
    const hint = h("p", { class: "vlms-hint" }, "Point at a patch, or click one to keep it: here is what it says. Arrow keys move, Enter keeps, Escape lets go.");
    const cards = this.lenses.map((set) => lensCard(set, this.controlsOf(set), at, (said) => this.change("word", word === plainWord(said) ? "" : said)));
    this.swap(this.cards, cell === null ? [hint] : cards);
    const table = this.model.get("table") && cell !== null && this.layers.length > 1;
    this.swap(this.table, table ? [layersTable("Best label of every layer", this.lenses, this.layers, at, (to) => this.selection.select({ layer: to }))] : []);
    this.drift.show(layer, cell);
    const best = cell === null ? null : this.lens.best(layer, cell);
    say(this.status, `Layer ${layer}${cell === null ? "" : ` · ${this.places.name(cell)}`}${best ? ` · “${visibleText(best.text)}” ${readable(best.score)}` : ""} · ${this.lens.name}`);
  }

  controlsOf(set) {
    return this.sets.filter((each) => each.of >= 0 && this.sets[each.of] === set);
  }

  outline() {
    const marked = this.places.cellsOf(markedPatches(this.selection.state));
    const [hovered = null] = this.places.cellsOf([this.selection.state.hovered?.patch]);
    this.figures.forEach((figure) => figure.mark(marked, hovered, null));
    const shown = hovered ?? marked[0] ?? null;
    const none = this.word ? `No patch says “${this.word}” in this layer.` : "This layer was not read with this lens.";
    const value = shown === null || !Number.isFinite(this.shown.values[shown]) ? null : this.shown.values[shown];
    const text = shown === null ? "" : `${this.describe(shown)}${this.coded ? "" : ` · ${none}`}`;
    this.legend.show(this.coded && [this.coded.lo, this.coded.hi], value, text, this.coded ? "Point at the picture to read values." : none);
  }

  /** A patch in words: its best label, or how much it says the word in the box. */
  describe(cell) {
    const best = this.lens.best(this.layer, cell);
    const own = this.shown?.values[cell];
    const value = this.word && Number.isFinite(own) && own !== best?.score ? ` · “${this.word}” ${readable(own)}` : "";
    return `${this.places.name(cell)}: ${best ? `“${visibleText(best.text)}” ${readable(best.score)}` : "no label"}${value}`;
  }
}

const lensView = {
  render: (context) => mountView(context, "lens-view", "What visual tokens say", (body, signal) => void new LensView(context.model, body, signal)),
};
export default lensView;
