// The colour scale under the picture: its two ends, and the value under the pointer.
import { drawScale } from "./colors.js";
import { h, readable } from "./dom.js";

export function legend() {
  const strip = h("canvas", { class: "vlms-scale", width: 256, height: 1, "aria-hidden": "true" });
  const marker = h("span", { class: "vlms-scale-marker", "aria-hidden": "true", hidden: true });
  const lowest = h("span", { class: "vlms-number" });
  const highest = h("span", { class: "vlms-number" });
  const readout = h("span", { class: "vlms-readout" });
  const bar = h("span", { class: "vlms-scale-holder" }, strip, marker);
  const el = h("div", { class: "vlms-legend" }, lowest, bar, highest, readout);

  return {
    el,
    /** @param {any} table  256 RGB triples */
    colours: (table) => drawScale(strip, table),
    /**
     * @param {[number, number] | null} scale  values at the ends; null where there is no map
     * @param {number | null} value   to be marked
     * @param {string} text           what is read off
     * @param {string} hint           what stands there while nothing is
     */
    show(scale, value, text, hint) {
      el.classList.toggle("empty", scale === null);
      lowest.textContent = scale ? readable(scale[0]) : "–";
      highest.textContent = scale ? readable(scale[1]) : "–";
      readout.textContent = text || hint;
      readout.classList.toggle("idle", text === "");
      marker.hidden = scale === null || value === null;
      if (!scale || value === null) return;
      const share = scale[1] > scale[0] ? (value - scale[0]) / (scale[1] - scale[0]) : 0;
      marker.style.setProperty("left", `${Math.min(1, Math.max(0, share)) * 100}%`);
    },
  };
}
