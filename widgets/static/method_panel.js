// One method's panel: its map over the picture, its numbers, and the button that says how the map was made.
import { pixelTable } from "./colors.js";
import { h, readable, say, uniqueId } from "./dom.js";
import { legend } from "./legend.js";
import { areaOutline } from "./outline.js";

const NO_MAP = "No map for this token.";

/**
 * @param {import("./maps.js").MapSet} set
 * @param {() => void} onMaking  the button was pressed
 */
export function methodPanel(set, onMaking) {
  const title = h("h3", { id: uniqueId("method"), title: set.about }, set.label);
  const holder = h("div", { class: "vlms-method-picture" });
  const scale = legend();
  const outline = areaOutline();
  const inside = h("p", { class: "vlms-inside" });
  const button = h("button", { type: "button", class: "vlms-more", "aria-expanded": "false", onclick: onMaking }, "How it was made");
  const head = h("div", { class: "vlms-method-head" }, title, set.control && h("span", { class: "vlms-tag" }, "control"));
  const el = h("section", { class: "vlms-method", "aria-labelledby": title.id }, head, holder, scale.el, inside, button);
  button.setAttribute("aria-describedby", title.id);
  let figure = null;

  return {
    el,
    set,
    /** @returns {any} what `pictureFigure` made */
    get figure() {
      return figure;
    },
    /** Show another picture. @param {(over: Node) => any} make  a `pictureFigure` with this over its map */
    hold(make) {
      figure = make(outline.el);
      holder.replaceChildren(figure.el);
    },
    /** Draw the border of an area. @param {import("./areas.js").Border | null} border */
    border: outline.show,
    colours: scale.colours,
    /**
     * @param {number} row  -1 where there is no map
     * @param {[number, number]} ends  values at the ends of the colours
     * @param {any} table
     * @param {boolean} fade
     */
    paint(row, ends, table, fade) {
      const { data } = set;
      el.classList.toggle("unmapped", row < 0);
      if (row < 0) figure.paint(null, 0);
      else figure.paint(data.values, row * data.size, pixelTable(table, data.lo[row], data.hi[row], ends, fade));
    },
    /** The value at a patch, or else the highest. @param {[number, number] | null} ends @param {number | null} value @param {number} peak */
    read(ends, value, peak) {
      scale.show(ends, value, value === null ? "" : `here ${readable(value)}`, ends ? `highest ${readable(peak)}` : NO_MAP);
    },
    /** The share of the map inside the area. @param {string} text */
    tell(text) {
      inside.hidden = text === "";
      say(inside, text);
    },
    /** Whether it is shown how the map was made. @param {HTMLElement | null} making */
    open(making) {
      button.setAttribute("aria-expanded", String(making !== null));
      if (making) button.setAttribute("aria-controls", making.id);
      else button.removeAttribute("aria-controls");
    },
    focusButton: () => button.focus(),
  };
}
