// The border of an area over a picture: a light line in a dark one, to be seen on any colour.
import { h } from "./dom.js";

const LINES = [
  ["rgb(0 0 0 / 85%)", 4],
  ["#fff", 1.75],
];

export function areaOutline() {
  const el = h("canvas", { class: "vlms-outline", width: 0, height: 0, "aria-hidden": "true" });
  let shown = null;

  // At the resolution of the screen, so that the line is as thin on a large picture as on a small one.
  const draw = () => {
    const { width, height } = el.getBoundingClientRect();
    const density = window.devicePixelRatio || 1;
    Object.assign(el, { width: Math.round(width * density), height: Math.round(height * density) });
    if (!shown || !el.width || !el.height) return;
    const path = new Path2D();
    path.addPath(new Path2D(shown.path), new DOMMatrix([el.width / shown.width, 0, 0, el.height / shown.height, 0, 0]));
    const context = el.getContext("2d");
    for (const [colour, thickness] of LINES) {
      Object.assign(context, { strokeStyle: colour, lineWidth: thickness * density, lineCap: "square" });
      context.stroke(path);
    }
  };
  new ResizeObserver(draw).observe(el);

  return {
    el,
    /** @param {import("./areas.js").Border | null} border */
    show(border) {
      if (border === shown) return;
      shown = border;
      draw();
    },
  };
}
