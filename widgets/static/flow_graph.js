// The graph of contributions: layers upwards, positions to the right, and a slider that hides weak edges.
import { field } from "./controls.js";
import { h, visibleText } from "./dom.js";
import { svg } from "./flow_svg.js";
import { listKeys, rove } from "./keys.js";

const COLUMN = 54;
const STEP = 30;
const SIDE = 44;

/**
 * @param {{nodes: any[], edges: [number, number, number][], lowest: number}} state
 * @param {{choose: (node: any) => void, threshold: (value: number) => void}} on
 */
export function flowGraph(state, on) {
  const highest = state.edges.reduce((most, [, , weight]) => Math.max(most, weight), state.lowest);
  const out = h("span", { class: "vlms-number" });
  const input = h("input", { type: "range", min: state.lowest, max: highest, step: "any", oninput: () => on.threshold(input.valueAsNumber) });
  const counted = h("span", { class: "vlms-hint" });
  const holder = h("div", { class: "graph", role: "listbox", "aria-label": "Nodes of the graph" });
  const el = h(
    "figure",
    {},
    h("figcaption", {}, "Strongest contributions to the prediction, walked backwards"),
    h("div", { class: "vlms-looks knobs" }, field("Hide edges below", input, out), counted),
    holder,
  );
  let shown = [];
  listKeys(holder, () => shown.map(({ mark }) => mark), (at) => on.choose(shown[at].node));

  const draw = (threshold) => {
    const { edges, used } = reachable(state, threshold);
    const places = [...new Set(used.map((at) => state.nodes[at].position))].sort((a, b) => a - b);
    const top = Math.max(...used.map((at) => state.nodes[at].height));
    const spot = (at) => {
      const node = state.nodes[at];
      const aside = node.kind === "mlp" ? 16 : node.kind === "inserted" ? -16 : 0;
      return [SIDE + places.indexOf(node.position) * COLUMN + aside, 12 + (top - node.height) * STEP];
    };
    const [width, height] = [SIDE + places.length * COLUMN, 12 + (top + 1) * STEP + 44];
    const layers = Array.from({ length: Math.floor(top) + 2 }, (_, i) => i - 1);
    const lines = edges.map(([start, end, weight]) => {
      const [[x1, y1], [x2, y2]] = [spot(start), spot(end)];
      return svg("line", { x1, y1, x2, y2, "stroke-width": (0.8 + 5 * weight).toFixed(2), class: "edge" });
    });
    shown = used.map((at) => ({ node: state.nodes[at], mark: markOf(state.nodes[at], spot(at), on) }));
    holder.replaceChildren(
      svg(
        "svg",
        { viewBox: `0 0 ${width} ${height}`, width, height },
        ...layers.map((layer) => svg("text", { x: 4, y: 16 + (top - layer) * STEP }, layer < 0 ? "input" : String(layer))),
        ...lines,
        ...places.map((place, at) => placeText(state.nodes.find((node) => node.position === place), SIDE + at * COLUMN, height - 26)),
        ...shown.map(({ mark }) => mark),
      ),
    );
    counted.textContent = `${edges.length} of ${state.edges.length} edges`;
  };
  return {
    el,
    /** @param {number} threshold */
    restyle(threshold) {
      input.valueAsNumber = threshold;
      out.textContent = `${(100 * threshold).toFixed(1)} %`;
      draw(threshold);
    },
    /** @param {(node: any) => boolean} isSelected */
    show(isSelected) {
      const at = shown.findIndex(({ node }) => isSelected(node));
      shown.forEach(({ mark }, i) => mark.setAttribute("aria-selected", String(i === at)));
      rove(shown.map(({ mark }) => mark), at);
    },
  };
}

/** Edges above a threshold that the walk still reaches; those that lead to a start come before it. */
function reachable({ edges }, threshold) {
  const used = new Set([0]);
  const kept = edges.filter(([start, end, weight]) => {
    if (weight < threshold || !used.has(end)) return false;
    used.add(start);
    return true;
  });
  return { edges: kept, used: [...used] };
}

function markOf(node, [x, y], on) {
  const layer = node.layer < 0 ? "input" : `layer ${node.layer}`;
  const label = `${node.kind === "input" ? "" : `${node.kind}, `}${layer}, ${node.place}`;
  const props = { role: "option", tabindex: -1, class: "node", "aria-label": label };
  const shape = node.kind === "mlp" ? { x: x - 4.5, y: y - 4.5, width: 9, height: 9 } : { cx: x, cy: y, r: 5 };
  const mark = svg(node.kind === "mlp" ? "rect" : "circle", { ...props, ...shape }, svg("title", {}, label));
  mark.addEventListener("click", () => on.choose(node));
  return mark;
}

/** What a column reads, and its position below. */
function placeText(node, x, y) {
  const text = node.patch ? node.patch : visibleText(node.text);
  const short = [...text].length > 7 ? `${[...text].slice(0, 6).join("")}…` : text;
  return svg("g", { class: "place", "text-anchor": "middle" }, svg("text", { x, y }, short), svg("text", { x, y: y + 14, class: "soft" }, String(node.position)));
}
