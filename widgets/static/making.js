// How a map was made: what the method was told, what it took away, and the maps on the way as small pictures.
import { decode } from "./codec.js";
import { pixelTable, signedTable } from "./colors.js";
import { segmented } from "./controls.js";
import { h, readable, uniqueId, visibleText } from "./dom.js";
import { heatFrame } from "./heat_frame.js";

/**
 * @typedef {object} MakingState  the twin of widgets/making.py
 * @property {string} about
 * @property {string} code
 * @property {string} source
 * @property {{name: string, text: string | string[]}[]} facts
 * @property {{title: string, unit: string, group: string, packed: import("./codec.js").Packed}[]} steps
 */

/**
 * @param {import("./maps.js").MapSet} set
 * @param {MakingState} state
 * @param {() => void} onClose
 */
export function makingPanel(set, state, onClose) {
  const steps = state.steps.map((step) => ({ ...step, data: decode(step.packed) }));
  const name = `How “${set.label}” was made`;
  const facts = h("dl", { class: "vlms-facts" });
  const pictures = h("div", { class: "vlms-steps" });
  const choice = h("div", { class: "vlms-pieces" });
  const close = h("button", { type: "button", "aria-label": `Close: ${name}`, onclick: onClose }, "Close");
  const el = h(
    "section",
    { class: "vlms-making", id: uniqueId("making"), "aria-label": name },
    h("div", { class: "vlms-making-head" }, h("h3", {}, name), choice, close),
    h("div", { class: "vlms-making-body" }, facts, pictures),
  );
  // Where every token is told the same there is nothing to choose.
  const perToken = steps.length > 0 || state.facts.some(({ text }) => typeof text !== "string");
  let piece = null;
  let shown = null;

  const row = () => (piece === null ? -1 : set.rowOf([piece]));

  const tellFacts = () => {
    const said = [["What", state.about], ...state.facts.map((fact) => [fact.name, textOf(fact.text, row())]), ["Python", code()], ["Source", state.source]];
    facts.replaceChildren(...said.filter(([, text]) => text).flatMap(([term, text]) => [h("dt", {}, term), h("dd", {}, text)]));
  };
  const code = () => state.code && h("code", {}, state.code);

  const drawSteps = () => {
    const at = row();
    const drawn = at < 0 ? [] : steps.map((step) => stepFigure(step, at, groupEnds(steps, step.group, at), shown));
    pictures.replaceChildren(...drawn);
    pictures.hidden = drawn.length === 0;
  };

  const choosePiece = (position) => {
    piece = position;
    tellFacts();
    drawSteps();
  };

  return {
    el,
    /**
     * @param {import("./tokens.js").Item | null} item  the selected token or word
     * @param {{grid: any, url: string | undefined, table: any, look: any, texts: Map<number, string>}} now  what is on
     *   show, how it is drawn, and the texts of all tokens
     */
    show(item, now) {
      shown = now;
      const pieces = item ? set.piecesOf(item.positions) : [];
      if (!pieces.includes(piece)) piece = pieces[0] ?? null;
      const options = pieces.map((position) => ({ value: String(position), label: visibleText(now.texts.get(position)) }));
      const picker = segmented("Piece of the word", options, (value) => choosePiece(Number(value)));
      picker.set(String(piece));
      choice.replaceChildren(...(perToken && pieces.length > 1 ? [h("span", { class: "vlms-hint" }, "Piece"), picker.el] : []));
      choosePiece(piece);
    },
  };
}

/** One sentence for all tokens, or that of one; what would hide in it is named. */
function textOf(text, row) {
  if (typeof text === "string") return text;
  return row < 0 ? "" : visibleText(text[row]);
}

/** Lowest and highest value of all maps of one group, so that their colours compare. */
function groupEnds(steps, group, row) {
  const same = steps.filter((step) => step.group === group);
  return [Math.min(0, ...same.map(({ data }) => data.lo[row])), Math.max(...same.map(({ data }) => data.hi[row]))];
}

function stepFigure(step, row, ends, { grid, url, table, look }) {
  const frame = heatFrame(grid, url);
  const { data } = step;
  const [lo, hi] = [data.lo[row], data.hi[row]];
  frame.look(look);
  frame.paint(data.values, row * data.size, lo < 0 ? signedTable(lo, hi) : pixelTable(table, lo, hi, ends, look.fade));
  const range = `${readable(lo)} to ${readable(hi)}${step.unit ? ` ${step.unit}` : ""}`;
  const title = h("b", {}, step.title);
  return h("figure", { class: "vlms-figure" }, frame.el, h("figcaption", {}, title, h("br"), range, lo < 0 && ", blue below 0"));
}
