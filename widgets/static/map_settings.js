// What a reader can set: which maps are shown, and how they are drawn.
import { dropdown, segmented, slider, toggle } from "./controls.js";

/** The traits behind the controls. */
export const SETTINGS = ["method", "opacity", "colormap", "scale", "smooth", "fade", "words", "table"];

const SCALES = [
  { value: "joint", label: "all words" },
  { value: "each", label: "this word" },
];

/**
 * A control for every setting.
 * @param {import("./maps.js").MapSet[]} sets
 * @param {string[]} colormaps
 * @param {(name: string, value: any) => void} change
 */
export function mapSettings(sets, colormaps, change) {
  const methods = sets.map((set) => ({ value: set.name, label: set.label, title: set.about, muted: set.control }));
  const colours = colormaps.map((name) => ({ value: name, label: name }));
  const to = (name) => (value) => change(name, value);
  return {
    method: segmented("Method", methods, to("method")),
    words: toggle("Whole words", "Join the pieces of a word", to("words")),
    table: toggle("Table", "Show the strongest patches as text", to("table")),
    opacity: slider("Opacity", to("opacity")),
    colormap: dropdown("Colours", colours, to("colormap")),
    scale: dropdown("Scale over", SCALES, to("scale")),
    smooth: toggle("Smooth", "Blend between patches instead of showing each as a square", to("smooth")),
    fade: toggle("Fade low", "Let the picture show through where values are low", to("fade")),
  };
}
