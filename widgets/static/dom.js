// Elements. Text always becomes a text node: nothing in this package parses markup.

/**
 * Build an element.
 * @param {string} tag
 * @param {Record<string, any>} [props]  "class", "onclick" and other handlers, "style" as an object, else attributes
 * @param {...(Node | string | number | null | undefined | false)} children
 * @returns {any}
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) el.addEventListener(name.slice(2), value);
    else if (name === "style") Object.entries(value).forEach(([key, v]) => el.style.setProperty(key, String(v)));
    else el.setAttribute(name, value === true ? "" : String(value));
  }
  el.append(...children.filter((child) => child !== null && child !== undefined && child !== false).map(asNode));
  return el;
}

function asNode(child) {
  return child instanceof Node ? child : document.createTextNode(String(child));
}

/** The element with the focus, also where a notebook puts its outputs into shadow roots. @param {Node} near */
export function focused(near) {
  return /** @type {Document | ShadowRoot} */ (near.getRootNode()).activeElement;
}

let idCount = 0;

/** An id no other element of this page has. @param {string} stem */
export function uniqueId(stem) {
  idCount += 1;
  return `vlms-${stem}-${idCount}-${Math.random().toString(36).slice(2, 7)}`;
}

/** Change an element's text, and leave it alone where it says that already: a live region would be read again. */
export function say(el, text) {
  if (el.textContent !== text) el.textContent = text;
}

// Characters that would hide in a line of text or turn its direction round: controls, formats and the four Hangul
// fillers. A few formats have a shape of their own, and a joiner between two pictures makes them one emoji.
const SHAPED = "(?![\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u{110bd}\\u{110cd}])";
const IN_EMOJI = "(?!(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]*)\\u200d\\p{Extended_Pictographic})";
const HIDDEN = new RegExp(`${SHAPED}${IN_EMOJI}[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\u115f\\u1160\\u3164\\uffa0]`, "gu");

/**
 * A token's text with everything visible: leading space dropped (the gap shows it), white space and controls named.
 * @param {string} text
 */
export function visibleText(text) {
  if (text === "") return "∅";
  const named = (/** @type {string} */ part) =>
    part
      .replace(/\n/g, "↵")
      .replace(/\t/g, "⇥")
      .replace(HIDDEN, codeOf);
  if (text.trim() === "") return named(text.replace(/ /g, "␣")).replace(/\s/g, codeOf);
  return named(text.replace(/^ /, ""));
}

function codeOf(character) {
  return `‹U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}›`;
}

/** A number for people: three significant digits, no exponent where avoidable. @param {number} value */
export function readable(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 10000)) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}
