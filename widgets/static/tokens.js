// Tokens as chips in a line of text, one listbox for the question and one for the answer.
import { h, visibleText } from "./dom.js";
import { listKeys, rove } from "./keys.js";

const PUNCTUATION = /^\s*\p{P}+$/u;
const OPENING = /^\s*[\p{Ps}\p{Pi}]+$/u;

/**
 * @typedef {object} TokenState  as Python sends it
 * @property {number} position
 * @property {string} text
 * @property {string} role
 * @property {number} word
 * @property {boolean} special
 *
 * @typedef {object} Item  one chip: a token, or the tokens of one word
 * @property {number[]} positions
 * @property {string} text
 * @property {boolean} special
 * @property {boolean} joined   whether it continues the chip before it, without a space
 */

/**
 * Chips of one role, token by token or word by word.
 * @param {TokenState[]} tokens
 * @param {string} role
 * @param {boolean} words
 * @returns {Item[]}
 */
export function itemsOf(tokens, role, words) {
  /** @type {Item[]} */
  const items = [];
  let word = -1;
  for (const token of tokens.filter((t) => t.role === role)) {
    const before = items.at(-1);
    if (words && before && token.word >= 0 && token.word === word) {
      before.positions.push(token.position);
      before.text += token.text;
    } else {
      const joined = Boolean(before) && !before.special && !token.special && /^\S/.test(token.text) && !/\s$/.test(before.text);
      items.push({ positions: [token.position], text: token.text, special: token.special, joined });
    }
    word = token.word;
  }
  return items;
}

/**
 * A strip of chips.
 * @param {string} label      what the list is, for screen readers
 * @param {Item[]} items
 * @param {(item: Item) => void} onChoose
 * @param {(item: Item | null) => void} onHover
 */
export function tokenStrip(label, items, onChoose, onHover) {
  const chips = items.map(chipOf);
  const el = h("div", { class: "vlms-tokens", role: "listbox", "aria-label": label });
  items.forEach((item, i) => {
    // A gap, not a margin: copied text keeps its spaces, and lines break where words end.
    if (i > 0 && !item.joined) el.append(" ");
    if (item.joined && clings(items[i - 1], item)) keepTogether(chips[i - 1], chips[i]);
    else el.append(chips[i]);
    if (/\n/.test(item.text)) el.append(h("br", { role: "presentation" }));
  });
  const indexOf = (event) => chips.indexOf(event.target.closest?.(".vlms-chip"));
  el.addEventListener("click", (event) => {
    const index = indexOf(event);
    if (index >= 0) onChoose(items[index]);
  });
  el.addEventListener("pointerover", (event) => onHover(items[indexOf(event)] ?? null));
  el.addEventListener("pointerleave", () => onHover(null));
  listKeys(el, () => chips, (index) => onChoose(items[index]));
  rove(chips, 0);
  let chosen = -1;
  // Also when the strip is first laid out, which may be long after it was made.
  new ResizeObserver(() => reveal(el, chips[chosen])).observe(el);

  return {
    el,
    items,
    /**
     * @param {number | null} position  the selected token
     * @param {(item: Item) => number | null} strengthOf  0 to 1, or null where there is no map
     * @param {number | undefined} hovered
     */
    update(position, strengthOf, hovered) {
      const selected = items.findIndex((item) => item.positions.includes(position));
      items.forEach((item, i) => {
        const strength = strengthOf(item);
        chips[i].setAttribute("aria-selected", String(i === selected));
        chips[i].classList.toggle("hovered", item.positions.includes(hovered));
        chips[i].classList.toggle("unmapped", strength === null);
        chips[i].style.setProperty("--strength", (strength ?? 0).toFixed(3));
        // The eye tells faint tints apart badly: shading rises faster than the value.
        chips[i].style.setProperty("--shade", ((strength ?? 0) ** 0.6).toFixed(3));
      });
      rove(chips, selected);
      if (selected !== chosen) reveal(el, chips[selected]);
      chosen = selected;
    },
  };
}

/** Whether a line may not break between two joined chips: punctuation stays with its word, text without spaces breaks. */
function clings(before, item) {
  const opens = OPENING.test(before.text) || (!before.joined && PUNCTUATION.test(before.text));
  return opens || (PUNCTUATION.test(item.text) && !OPENING.test(item.text));
}

/** Put a chip behind another so that no line breaks between them. */
function keepTogether(before, chip) {
  if (!before.parentElement.classList.contains("vlms-run")) {
    const run = h("span", { class: "vlms-run", role: "presentation" });
    before.replaceWith(run);
    run.append(before);
  }
  before.parentElement.append(chip);
}

// Only the strip itself: scrollIntoView would move the notebook as well.
function reveal(el, chip) {
  if (!chip) return;
  const [shown, wanted] = [el.getBoundingClientRect(), chip.getBoundingClientRect()];
  if (wanted.top < shown.top) el.scrollTop -= shown.top - wanted.top;
  else if (wanted.bottom > shown.bottom) el.scrollTop += wanted.bottom - shown.bottom;
}

function chipOf(item) {
  const shown = visibleText(item.text);
  const classes = ["vlms-chip", item.joined && "joined", (item.special || !item.text.trim()) && "special"];
  return h(
    "span",
    {
      class: classes.filter(Boolean).join(" "),
      role: "option",
      "aria-selected": "false",
      "data-position": item.positions[0],
      "data-typed": item.text.trim().toLowerCase().slice(0, 40),
      title: shown.length > 40 ? shown.slice(0, 400) : undefined,
    },
    shown,
  );
}
