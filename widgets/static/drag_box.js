// Dragging a box with mouse, pen or finger; a press that goes nowhere stays a click.

const SLACK = 4;

/**
 * @param {HTMLElement} surface
 * @param {(box: number[] | null, finished: boolean) => void} onBox  left, top, right and bottom as parts of the surface;
 *   null where a box was given up
 */
export function dragBox(surface, onBox) {
  let start = null;
  let dragging = false;
  const at = (event) => {
    const area = surface.getBoundingClientRect();
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within((event.clientX - area.left) / area.width), within((event.clientY - area.top) / area.height)];
  };
  const box = (event) => {
    const [from, to] = [start.at, at(event)];
    return [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
  };
  const end = (result, finished) => {
    if (start === null) return;
    start = null;
    if (dragging) onBox(result, finished);
  };

  surface.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !event.isPrimary) return;
    start = { at: at(event), x: event.clientX, y: event.clientY };
    dragging = false;
    surface.setPointerCapture(event.pointerId);
  });
  surface.addEventListener("pointermove", (event) => {
    if (start === null) return;
    dragging ||= Math.hypot(event.clientX - start.x, event.clientY - start.y) > SLACK;
    if (dragging) onBox(box(event), false);
  });
  surface.addEventListener("pointerup", (event) => start && end(box(event), true));
  surface.addEventListener("pointercancel", () => end(null, true));
  // The click that ends a drag would pin a patch.
  surface.addEventListener("click", (event) => dragging && event.stopImmediatePropagation(), true);

  /** Give up a box that is being dragged; says whether there was one. */
  return () => {
    const was = start !== null && dragging;
    end(null, true);
    return was;
  };
}
