// Question and answer as two strips of chips, by piece or by word.
import { h } from "./dom.js";
import { itemsOf, tokenStrip } from "./tokens.js";

const SILENT = { question: "Nothing was asked.", answer: "Nothing was said." };

/**
 * @param {import("./tokens.js").TokenState[]} tokens
 * @param {(item: import("./tokens.js").Item) => void} onChoose
 * @param {(item: import("./tokens.js").Item | null) => void} onHover
 */
export function tokenStrips(tokens, onChoose, onHover) {
  const el = h("div", { class: "vlms-strips" });
  let strips = [];
  let joined = null;
  const part = (title, role, strip) => {
    const shown = strip.items.length ? strip.el : h("p", { class: "vlms-hint" }, SILENT[role]);
    return h("div", { class: `vlms-strip ${role}` }, h("h3", { "aria-hidden": "true" }, title), shown);
  };
  return {
    el,
    /** All chips, the question's first. @returns {import("./tokens.js").Item[]} */
    get items() {
      return strips.flatMap((strip) => strip.items);
    },
    /** The chip of a token. @param {number | null} position @returns {import("./tokens.js").Item | null} */
    itemOf(position) {
      return this.items.find((item) => item.positions.includes(position)) ?? null;
    },
    /** Make the chips of pieces or of whole words. @param {boolean} words */
    join(words) {
      if (words === joined) return;
      joined = words;
      const strip = (label, role) => tokenStrip(label, itemsOf(tokens, role, words), onChoose, onHover);
      strips = [strip("Question", "question"), strip("Answer", "answer")];
      el.replaceChildren(part("Question", "question", strips[0]), part("Answer", "answer", strips[1]));
    },
    /**
     * @param {number | null} position  the selected token
     * @param {(item: import("./tokens.js").Item) => number | null} strengthOf  0 to 1, or null where there is no map
     * @param {number | undefined} hovered
     * @param {boolean} shaded  whether the strength is shown by shading instead of underlining
     */
    update(position, strengthOf, hovered, shaded) {
      for (const strip of strips) strip.update(position, strengthOf, hovered);
      el.classList.toggle("at-patch", shaded);
    },
  };
}
