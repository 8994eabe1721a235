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

// Characters that would hide in a line of text or turn its direction round.
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

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
      .replace(HIDDEN, (c) => `‹U+${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`);
  if (text.trim() === "") return named(text.replace(/ /g, "␣"));
  return named(text.replace(/^ /, ""));
}

/** A number for people: three significant digits, no exponent where avoidable. @param {number} value */
export function readable(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 10000)) return value.toExponential(1);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : value.toFixed(3);
}
