// What a reader of the comparison can set: which methods, which picture, and how maps are drawn.
import { choices, dropdown, toggle } from "./controls.js";
import { lookSettings, LOOKS } from "./map_settings.js";

/** The traits behind the controls. */
export const COMPARED = ["shown", "stretch", "grid", ...LOOKS];

const STRETCH = "Draw every map from its own lowest to its own highest value; off, all share one scale";

/**
 * A control for every one of `COMPARED`.
 * @param {import("./maps.js").MapSet[]} sets
 * @param {import("./heat_frame.js").GridState[]} grids
 * @param {string[]} colormaps
 * @param {(name: string, value: any) => void} change
 */
export function compareSettings(sets, grids, colormaps, change) {
  const methods = sets.map((set) => ({ value: set.name, label: set.label, title: set.about, muted: set.control }));
  const pictures = grids.map(({ label }, index) => ({ value: index, label }));
  return {
    shown: choices("Methods", methods, (values) => change("shown", values)),
    grid: dropdown("Picture", pictures, (value) => change("grid", Number(value))),
    stretch: toggle("Stretch", STRETCH, (value) => change("stretch", value)),
    ...lookSettings(colormaps, "Say in a table what the panels show", change),
  };
}
