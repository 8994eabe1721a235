// Which methods say how their maps were made: each explanation stands below its panel and follows the token.
import { makingPanel } from "./making.js";

export class Makings {
  /**
   * @param {any} model  with the traits "opened" and "makings"
   * @param {any[]} panels  made by `methodPanel`
   */
  constructor(model, panels) {
    this.model = model;
    this.panels = panels;
    this.made = new Map();
  }

  toggle(name) {
    const opened = this.model.get("opened");
    const others = opened.filter((other) => other !== name);
    this.model.set("opened", opened.includes(name) ? others : [...others, name]);
    this.model.save_changes();
  }

  close(panel) {
    this.toggle(panel.set.name);
    panel.focusButton();
  }

  /**
   * Put every open explanation behind its panel and let it speak of a token.
   * @param {import("./tokens.js").Item | null} item
   * @param {any} now  what `makingPanel` draws with
   */
  show(item, now) {
    const opened = this.model.get("opened");
    for (const panel of this.panels) {
      const open = opened.includes(panel.set.name) && !panel.el.hidden;
      const making = open ? this.of(panel) : null;
      if (making) {
        making.show(item, now);
        if (panel.el.nextSibling !== making.el) panel.el.after(making.el);
      } else this.made.get(panel)?.el.remove();
      panel.open(making?.el ?? null);
    }
  }

  of(panel) {
    const make = () => makingPanel(panel.set, this.model.get("makings")[panel.set.name], () => this.close(panel));
    if (!this.made.has(panel)) this.made.set(panel, make());
    return this.made.get(panel);
  }
}
