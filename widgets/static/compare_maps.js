// Map methods side by side on one token, and how much of each lies inside an area of the picture.
import { AreaTool } from "./area_tool.js";
import { Areas } from "./areas.js";
import { compareFrame } from "./compare_frame.js";
import { compareSettings, COMPARED } from "./compare_settings.js";
import { Comparison } from "./comparison.js";
import { say, visibleText } from "./dom.js";
import { pictureUrls } from "./heat_frame.js";
import { Makings } from "./makings.js";
import { MapSet } from "./maps.js";
import { methodPanel } from "./method_panel.js";
import { methodTable } from "./method_table.js";
import { pictureFigure } from "./picture.js";
import { markedPatches, patchEvents, Places } from "./places.js";
import { joinSelection } from "./selection.js";
import { percent, shareTable } from "./shares.js";
import { tokenStrips } from "./strips.js";
import { mountView, watch } from "./view.js";

class CompareMaps {
  /** @param {any} model @param {HTMLElement} body @param {AbortSignal} signal */
  constructor(model, body, signal) {
    this.model = model;
    this.root = body;
    this.places = new Places(model.get("grids"), model.get("patches"));
    this.urls = pictureUrls(model.get("pictures"), signal);
    this.texts = new Map(model.get("tokens").map(({ position, text }) => [position, text]));
    const sets = model.get("methods").map((method) => new MapSet(method));
    const areas = new Areas(this.places.grids, model.get("outlines"), model.get("covers"));
    this.areas = areas;
    this.facts = new Comparison(sets, this.places, areas);
    this.panels = sets.map((set) => methodPanel(set, () => this.makings.toggle(set.name)));
    this.makings = new Makings(model, this.panels);
    this.controls = compareSettings(sets, this.places.grids, Object.keys(model.get("tables")), (name, value) => this.change(name, value));
    this.tool = new AreaTool(model, areas.outlines, areas.names, {
      grid: () => this.grid,
      marked: () => this.marked,
      show: (picture) => this.showPicture(picture),
      draft: () => this.refresh(new Set(["draft"])),
    });
    this.layOut();
    this.selection = joinSelection(model, (_state, changed) => this.refresh(changed), signal);
    watch(model, COMPARED, () => this.restyle(), signal);
    watch(model, ["opened"], () => this.explain(), signal);
    watch(model, ["region"], () => this.refresh(new Set(["region"])), signal);
    this.restyle();
  }

  get grid() {
    return this.places.grids[this.model.get("grid")];
  }

  get marked() {
    return this.places.cellsOf(markedPatches(this.selection.state));
  }

  /** The method the chips are shaded by: the first that has a panel. */
  get leading() {
    const shown = this.model.get("shown");
    return (this.panels.find(({ set }) => shown.includes(set.name)) ?? this.panels[0])?.set;
  }

  /** Change a setting for scripts and saving too; the model's own event brings it here. */
  change(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  showPicture(picture) {
    if (this.grid.picture !== picture) this.change("grid", this.places.grids.findIndex((grid) => grid.picture === picture));
  }

  layOut() {
    const { model, controls, panels } = this;
    const hover = (item) => this.selection.select({ hovered: item ? { token: item.positions[0] } : null });
    this.strips = tokenStrips(model.get("tokens"), (item) => this.selection.select({ token: item.positions[0] }), hover);
    this.frame = compareFrame(controls, this.tool.parts, this.strips.el, panels.map(({ el }) => el), {
      missing: model.get("note").split("\n").filter(Boolean),
      pictureless: this.places.grids.some((grid) => !this.urls[grid.picture]),
      source: model.get("source"),
      several: this.places.grids.length > 1,
      comparable: panels.length > 0 && this.places.grids.length > 0,
    });
    this.root.append(...this.frame.parts);
    this.root.addEventListener("keydown", (event) => event.key === "Escape" && this.giveUp() && event.stopPropagation());
  }

  /** Undo what was marked last: the area, then the patches; says whether there was anything. */
  giveUp() {
    if (this.tool.giveUp()) return true;
    if (!this.marked.length) return false;
    this.selection.select({ patch: null, brush: [], hovered: null });
    return true;
  }

  /** After a setting: controls, chips, pictures, then everything that depends on the selection. */
  restyle() {
    const look = Object.fromEntries(COMPARED.map((name) => [name, this.model.get(name)]));
    Object.entries(this.controls).forEach(([name, control]) => control.set(look[name]));
    this.strips.join(look.words);
    if (this.grid) this.holdPictures();
    for (const panel of this.panels) {
      panel.figure?.look(look);
      panel.colours(this.model.get("tables")[look.colormap]);
    }
    this.refresh(null);
  }

  /** Give every panel the picture that is on show. */
  holdPictures() {
    const { grid } = this;
    if (this.held === grid) return;
    this.held = grid;
    for (const panel of this.panels) {
      const events = patchEvents(this.places, () => this.selection, (cell) => this.facts.describe(panel.set, cell));
      const on = { ...events, extend: (from, to) => this.tool.extend(from, to) };
      const name = `${panel.set.label}${this.places.grids.length > 1 ? `, ${grid.label}` : ""}`;
      panel.hold((over) => pictureFigure(grid, this.urls[grid.picture], on, { name, keys: "Shift and arrow keys draw a box, ", over }));
    }
    this.tool.listen(this.panels.map((panel) => panel.figure.surface));
  }

  /** Redraw what the changed fields of selection and area touch. @param {Set<string> | null} changed  null means all */
  refresh(changed) {
    if (!this.selection) return; // joining may select before there is anything to draw
    const touches = (...names) => changed === null || names.some((name) => changed.has(name));
    this.facts.item = this.strips.itemOf(this.selection.state.token);
    if (touches("token", "patch", "brush", "hovered")) this.shadeChips();
    if (this.grid && this.panels.length) {
      if (changed?.has("patch")) this.follow();
      if (touches("token")) this.paint();
      if (touches("token")) this.explain();
      if (touches("token", "patch", "brush", "hovered")) this.readPatches();
      if (touches("token", "patch", "brush", "region", "draft")) this.showResults();
    }
    // A box is announced when its dragging ends.
    if (touches("token", "patch", "brush", "region")) say(this.frame.status, this.facts.sentence(this.tool.region, this.grid, this.marked));
  }

  /** Show the picture of a patch that was pinned, perhaps in another view. */
  follow() {
    const [cell] = this.marked;
    const grid = cell === undefined ? this.grid : this.places.locate(cell).grid;
    if (grid !== this.grid) this.change("grid", this.places.grids.indexOf(grid));
  }

  paint() {
    const table = this.model.get("tables")[this.model.get("colormap")];
    this.frame.panels.style.setProperty("--panels", String(this.model.get("shown").length));
    for (const panel of this.panels) {
      panel.el.hidden = !this.model.get("shown").includes(panel.set.name);
      panel.paint(this.facts.rowOf(panel.set), this.endsOf(panel), table, this.model.get("fade"));
    }
    const detail = { token: this.selection.state.token, method: null };
    this.root.dispatchEvent(new CustomEvent("vlmscope:painted", { bubbles: true, detail }));
  }

  endsOf({ set }) {
    return this.facts.endsOf(set, this.model.get("stretch"));
  }

  explain() {
    const look = { opacity: this.model.get("opacity"), smooth: this.model.get("smooth"), fade: this.model.get("fade") };
    const table = this.model.get("tables")[this.model.get("colormap")];
    this.makings.show(this.facts.item, { grid: this.grid, url: this.urls[this.grid.picture], table, look, texts: this.texts });
  }

  readPatches() {
    const { marked } = this;
    const [hovered = null] = this.places.cellsOf([this.selection.state.hovered?.patch]);
    for (const panel of this.panels) {
      const peak = this.facts.peakOf(panel.set);
      panel.figure.mark(marked, hovered, peak?.cell ?? null);
      panel.read(this.endsOf(panel), this.facts.valueAt(panel.set, hovered === null ? marked : [hovered]), peak?.value);
    }
  }

  shadeChips() {
    const { token, hovered } = this.selection.state;
    const [cells, lead] = [this.marked, this.leading];
    const strength = ({ positions }) => {
      if (!this.panels.some(({ set }) => set.rowOf(positions) >= 0)) return null;
      const row = lead.rowOf(positions);
      return row < 0 ? 0 : lead.share(cells.length ? lead.mean(row, cells) : lead.data.hi[row]);
    };
    this.strips.update(token, strength, hovered?.token, cells.length > 0);
    const shading = `Shading: how much each token looked at the marked ${cells.length > 1 ? "patches" : "patch"}`;
    this.frame.key.textContent = lead ? `${cells.length ? shading : "Underline: the highest value in each token’s map"}, by ${lead.label}.` : "";
  }

  /** The area over all panels, every share in it, and the tables below. */
  showResults() {
    const { item } = this.facts;
    const { region } = this.tool;
    const measured = region && this.facts.sharesOf(region);
    const border = region?.picture === this.grid.picture ? this.areas.border(region) : null;
    this.panels.forEach((panel, i) => {
      panel.border(border);
      panel.tell(measured && measured.shares[i].share !== null ? `inside ${percent(measured.shares[i].share)}` : "");
    });
    this.tool.update();
    const of = item ? `“${visibleText(item.text)}”` : "";
    const tables = [];
    if (measured && item) tables.push(shareTable(`${of} inside ${this.areas.name(region, this.grid)}`, measured.shares, measured.own));
    if (this.model.get("table") && item) {
      const [cells, title] = [this.marked, `${of} by every method`];
      tables.push(methodTable(title, this.facts.summary(cells), cells.length ? this.facts.placeOf(cells) : ""));
    }
    this.frame.results.hidden = !tables.length;
    this.frame.results.replaceChildren(...tables);
  }
}

function renderCompareMaps(context) {
  return mountView(context, "compare-maps", "Maps side by side", (body, signal) => void new CompareMaps(context.model, body, signal));
}

const compareMaps = { render: renderCompareMaps };
export default compareMaps;
