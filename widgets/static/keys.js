// Keyboard in a list of options: one tab stop, arrows, Home, End and typing the beginning of a word.
import { focused } from "./dom.js";

/**
 * Make a listbox out of an element and its options.
 *
 * @param {HTMLElement} list   has role "listbox"
 * @param {() => HTMLElement[]} options  its options in order
 * @param {(index: number) => void} choose  what choosing one means; the focus follows by itself
 */
export function listKeys(list, options, choose) {
  let typed = "";
  let lastKey = 0;

  /** @param {string} key @param {number} now @param {HTMLElement[]} all */
  const target = (key, now, all) => {
    if (key === "ArrowRight" || key === "ArrowDown") return Math.min(now + 1, all.length - 1);
    if (key === "ArrowLeft" || key === "ArrowUp") return Math.max(now - 1, 0);
    if (key === "Home") return 0;
    if (key === "End") return all.length - 1;
    if (key === "Enter" || key === " ") return now;
    if (key.length === 1) return typeahead(key, now, all);
    return -1;
  };

  const typeahead = (key, now, all) => {
    const time = performance.now();
    const letter = key.toLowerCase();
    // The same letter again, soon or late, goes on to the next word with it.
    typed = time - lastKey > 700 || typed === letter ? letter : typed + letter;
    lastKey = time;
    const from = typed.length === 1 ? now + 1 : now;
    const order = all.map((_, i) => (from + i) % all.length);
    return order.find((i) => (all[i].dataset.typed ?? "").startsWith(typed)) ?? now;
  };

  list.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const all = options();
    const now = all.indexOf(focused(list));
    if (now < 0) return;
    const next = target(event.key, now, all);
    if (next < 0) return;
    event.preventDefault();
    event.stopPropagation();
    all[next].focus();
    choose(next);
  });
}

/**
 * Leave exactly one option in the tab order.
 * @param {HTMLElement[]} options
 * @param {number} index  the one; a negative index means the first
 */
export function rove(options, index) {
  options.forEach((option, i) => option.setAttribute("tabindex", i === Math.max(0, index) ? "0" : "-1"));
}
