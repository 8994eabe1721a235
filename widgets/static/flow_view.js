// Through which layers, heads and positions a prediction came about: curves, grids and a graph around one selection.
import { decode } from "./codec.js";
import { dropdown } from "./controls.js";
import { h, say } from "./dom.js";
import { curveKeys, curvePanel, curveRange } from "./flow_curves.js";
import { flowGraph } from "./flow_graph.js";
import { flowGrid } from "./flow_grid.js";
import { joinSelection } from "./selection.js";
import { mountView, watch } from "./view.js";

class FlowView {
  /** @param {any} model @param {HTMLElement} body @param {AbortSignal} signal */
  constructor(model, body, signal) {
    this.model = model;
    this.curves = model.get("curves");
    this.heads = model.get("heads");
    this.cells = model.get("cells");
    this.visual = new Set(decode(model.get("visual")).values);
    this.panels = [];
    this.layOut(body);
    this.selection = joinSelection(model, () => this.refresh(), signal);
    watch(model, ["measure"], () => this.drawCurves(), signal);
    watch(model, ["threshold"], () => this.drawGraph(), signal);
    this.drawCurves();
    this.drawGraph();
  }

  /** Change a setting for scripts and saving too; the model's own event brings it here. */
  change(name, value) {
    this.model.set(name, value);
    this.model.save_changes();
  }

  layOut(body) {
    const state = this.model.get("graph");
    const graphEvents = { choose: (node) => this.choosePlace(node.layer, node.position), threshold: (value) => this.change("threshold", value) };
    this.curveHolder = h("div", { class: "curves" });
    this.headGrid = this.heads.packed ? flowGrid(this.heads, (row, col) => this.selection.select({ layer: this.heads.layers[row], head: this.heads.heads[col] })) : null;
    this.cellGrid = this.cells.packed ? flowGrid(this.cells, (row, col) => this.choosePlace(this.cells.layers[row], this.cells.positions[col])) : null;
    this.graph = state.nodes ? flowGraph(state, graphEvents) : null;
    this.status = h("div", { class: "vlms-status", role: "status", "aria-live": "polite" });
    const options = (this.curves.measures ?? []).map(({ name, label }) => ({ value: name, label }));
    this.measure = dropdown("Measure", options, (value) => this.change("measure", value));
    const parts = [
      this.curves.measures && h("div", { class: "part" }, h("h3", {}, "Knockout: what the prediction loses around each layer"), h("div", { class: "vlms-looks knobs" }, this.measure.el, h("span", { class: "vlms-hint" }, this.curves.about)), this.curveHolder),
      this.headGrid && h("div", { class: "part" }, this.headGrid.el),
      this.cellGrid && h("div", { class: "part" }, this.cellGrid.el),
      this.graph && h("div", { class: "part" }, this.graph.el),
    ];
    body.append(
      h("div", { class: "parts" }, ...parts.filter(Boolean)),
      h("div", { class: "vlms-foot" }, this.status, h("span", { class: "vlms-source" }, this.model.get("source"))),
    );
    body.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.selection.select({ layer: null, head: null, patch: null, brush: [] });
    });
  }

  /** Select a layer with a token or a patch. @param {number} layer  below 0 for the input @param {number} position */
  choosePlace(layer, position) {
    const place = this.visual.has(position) ? { patch: position, brush: [] } : { token: position };
    this.selection.select({ layer: layer < 0 ? null : layer, ...place });
  }

  drawCurves() {
    if (!this.curves.measures) return;
    const { panels, label } = this.curves.measures.find(({ name }) => name === this.model.get("measure"));
    const range = curveRange(panels);
    this.measure.set(this.model.get("measure"));
    const how = { range, label, choose: (layer) => this.selection.select({ layer }) };
    this.panels = panels.map((panel, index) => curvePanel(this.curves, panel, { index, ...how }));
    this.curveHolder.replaceChildren(...this.panels.map((panel) => panel.el), curveKeys(panels));
    this.refresh();
  }

  drawGraph() {
    this.graph?.restyle(this.model.get("threshold"));
    this.refresh();
  }

  /** Mark in every part what is selected. */
  refresh() {
    if (!this.selection) return; // joining may select before there is anything to draw
    const { layer, head, token, patch } = this.selection.state;
    const places = [patch, token].filter((place) => place !== null);
    this.panels.forEach((panel) => panel.show(layer));
    const headAt = this.headGrid ? [this.heads.layers.indexOf(layer), this.heads.heads.indexOf(head)] : [-1, -1];
    this.headGrid?.show(...headAt);
    const column = this.cellGrid ? places.map((place) => this.cells.positions.indexOf(place)).find((at) => at >= 0) ?? -1 : -1;
    const cellAt = this.cellGrid ? [this.cells.layers.indexOf(layer), column] : [-1, -1];
    this.cellGrid?.show(...cellAt);
    this.graph?.show((node) => places.includes(node.position) && (node.layer < 0 ? layer === null : node.layer === layer));
    const said = [layer === null ? "No layer selected." : `Layer ${layer}`];
    if (Math.min(...headAt) >= 0) said.push(this.headGrid.describe(...headAt));
    if (Math.min(...cellAt) >= 0) said.push(this.cellGrid.describe(...cellAt));
    say(this.status, said.join(" · "));
  }
}

function renderFlowView(context) {
  return mountView(context, "flow-view", "Information flow", (body, signal) => void new FlowView(context.model, body, signal));
}

const flowView = { render: renderFlowView };
export default flowView;
