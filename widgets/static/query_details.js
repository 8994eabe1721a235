// What is shown of learned queries in words: shares of attention, and who used or looked at what.
import { lookedList, patchTable } from "./details.js";
import { focused, h, visibleText } from "./dom.js";
import { percent } from "./shares.js";

const STRONGEST = 10;

export class QueryDetails {
  /** @param {import("./query_image.js").QueryImage} view */
  constructor(view) {
    this.view = view;
    this.all = false;
    this.el = h("div", { class: "vlms-panel", role: "region", "aria-label": "Details" });
  }

  /** @param {boolean} keep  whether an opened list stays open */
  show(keep) {
    const { view } = this;
    if (!view.queries) return;
    if (!keep) this.all = false;
    const parts = [view.cell === null ? null : this.lookingAt(), view.query < 0 ? this.aboutWord() : this.aboutQuery()];
    if (view.model.get("table") && view.shown) parts.push(this.strongest());
    if (view.cell === null) parts.push(h("p", { class: "vlms-hint" }, "Click a patch of the picture to see which queries look there."));
    // What is replaced takes the focus with it: the button in the same place gets it back.
    const held = [...this.el.querySelectorAll("button")].indexOf(focused(this.el));
    this.el.replaceChildren(...parts.filter(Boolean));
    const buttons = [...this.el.querySelectorAll("button")];
    if (held >= 0) (buttons[held] ?? buttons.at(-1))?.focus();
  }

  /**
   * A list of queries or words with bars, as long as their share of the set's highest value.
   * @param {string} title
   * @param {any[]} items
   * @param {import("./maps.js").MapSet} set
   * @param {(item: any) => number | null} valueOf  null leaves it out
   * @param {number | null} selected
   * @param {(item: any) => void} choose
   */
  list(title, items, set, valueOf, selected, choose) {
    const found = items
      .map((item) => ({ item, value: valueOf(item) }))
      .filter(({ value }) => value !== null)
      .sort((a, b) => b.value - a.value);
    const more = () => {
      this.all = !this.all;
      this.show(true);
    };
    return lookedList(title, found.map((one) => ({ ...one, share: set.share(one.value) })), this.all, selected, choose, more);
  }

  lookingAt() {
    const { view } = this;
    const choose = (item) => view.selection.select({ patch: item.positions[0] });
    const valueOf = (item) => view.queries.value(view.queries.rowOf(item.positions), view.cell);
    return this.list(`Queries that look at ${view.places.name(view.cell)}`, view.items, view.queries, valueOf, view.selection.state.patch, choose);
  }

  aboutQuery() {
    const { view } = this;
    const item = view.items[view.query];
    const away = view.elsewhere[view.query];
    const rest = away < 0.0005 ? "All" : percent(1 - away);
    const where = away < 0.0005 ? "" : ` The other ${percent(away)} went where no patch is: a class token, padding or other queries.`;
    const about = h("p", {}, `${rest} of its attention lies on the patches of the picture.${where}`);
    if (!view.use) return h("div", {}, h("h3", {}, `Query ${item.text}`), about);
    const valueOf = (word) => {
      const row = view.use.rowOf(word.positions);
      return row < 0 ? null : view.use.value(row, view.query);
    };
    const choose = (word) => view.selection.select({ token: word.positions[0], patch: null });
    const words = this.list(`Words that used ${item.text}`, view.strips.items, view.use, valueOf, view.selection.state.token, choose);
    return h("div", { class: "vlms-about" }, h("h3", {}, `Query ${item.text}`), about, words);
  }

  aboutWord() {
    const { view } = this;
    const { word } = view;
    const row = view.use && word ? view.use.rowOf(word.positions) : -1;
    if (row < 0) return null;
    const { how, shares } = view.model.get("queries").use;
    const part = shares[row] === null ? "" : ` ${percent(shares[row])} of that attention went to queries.`;
    const title = h("h3", {}, `“${visibleText(word.text)}” through the queries`);
    if (view.sets.get(view.model.get("method"))?.control) {
      const same = "A control: every query counts alike, so all words have this map. A word’s own map says something where it differs from it.";
      return h("div", { class: "vlms-about" }, title, h("p", {}, same));
    }
    const proxy = `Not what the model computed, but a proxy in two steps: how much the word used each query (${how}), times where that query looks.${part}`;
    const name = visibleText(word.text);
    const valueOf = (item) => view.use.value(row, view.queries.rowOf(item.positions));
    const choose = (item) => view.selection.select({ patch: item.positions[0] });
    const queries = this.list(`Queries that “${name}” used`, view.items, view.use, valueOf, view.selection.state.patch, choose);
    return h("div", { class: "vlms-about" }, title, h("p", {}, proxy), queries);
  }

  strongest() {
    const { view } = this;
    const { set, row } = view.shown;
    const several = view.places.grids.length > 1;
    const patches = set.top(row, STRONGEST).map(({ cell, value }) => {
      const { grid, row: line, col } = view.places.locate(cell);
      return { where: [...(several ? [grid.label] : []), String(line), String(col)], value };
    });
    const columns = [...(several ? ["Picture"] : []), "Row", "Column", "Share"];
    const name = view.query >= 0 ? view.items[view.query].text : `“${visibleText(view.word.text)}”`;
    return patchTable(`Strongest patches for ${name}`, patches, columns);
  }
}
