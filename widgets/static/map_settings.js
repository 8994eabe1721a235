// What a reader can set: which maps are shown, and how they are drawn.
import { dropdown, segmented, slider, toggle } from "./controls.js";

/** The traits every view of maps has controls for. */
export const LOOKS = ["opacity", "colormap", "smooth", "fade", "words", "table"];
/** Those of the token-and-image view. */
export const SETTINGS = ["method", "scale", ...LOOKS];

const SCALES = [
  { value: "joint", label: "all words" },
  { value: "each", label: "this word" },
];

/**
 * A control for every one of `LOOKS`.
 * @param {string[]} colormaps
 * @param {string} tableTitle  what the table says
 * @param {(name: string, value: any) => void} change
 */
export function lookSettings(colormaps, tableTitle, change) {
  const colours = colormaps.map((name) => ({ value: name, label: name }));
  const to = (name) => (value) => change(name, value);
  return {
    words: toggle("Whole words", "Join the pieces of a word", to("words")),
    table: toggle("Table", tableTitle, to("table")),
    opacity: slider("Opacity", to("opacity")),
    colormap: dropdown("Colours", colours, to("colormap")),
    smooth: toggle("Smooth", "Blend between patches instead of showing each as a square", to("smooth")),
    fade: toggle("Fade low", "Let the picture show through where values are low", to("fade")),
  };
}

/**
 * A control for every one of `SETTINGS`.
 * @param {import("./maps.js").MapSet[]} sets
 * @param {string[]} colormaps
 * @param {(name: string, value: any) => void} change
 */
export function mapSettings(sets, colormaps, change) {
  const methods = sets.map((set) => ({ value: set.name, label: set.label, title: set.about, muted: set.control }));
  return {
    method: segmented("Method", methods, (value) => change("method", value)),
    scale: dropdown("Scale over", SCALES, (value) => change("scale", value)),
    ...lookSettings(colormaps, "Show the strongest patches as text", change),
  };
}

/** Show a view's settings in its controls, pictures, legend and chips. @param {any} view  a view with those parts */
export function applySettings(view) {
  const look = Object.fromEntries(SETTINGS.map((name) => [name, view.model.get(name)]));
  Object.entries(view.controls).forEach(([name, control]) => control.set(look[name]));
  view.figures.forEach((figure) => figure.look(look));
  view.legend.colours(view.model.get("tables")[look.colormap]);
  view.strips.join(look.words);
}
