// Composing a scene: click to place a thing, drag to move it, change the chosen one with the controls beside.
import { dropdown, field, segmented } from "./controls.js";
import { h, say } from "./dom.js";

const MOST_THINGS = 4;
const STEP = 0.04;
const ADVICE = "Click the picture to add a thing, drag one to move it.";
const FULL = "Four things are the most a drawing can hold: drag one to move it, or remove one first.";

/**
 * @typedef {object} Placed
 * @property {string} kind
 * @property {string} colour
 * @property {string} size
 * @property {number} x     centre, 0 to 1
 * @property {number} y
 * @property {string} text  what a sign says
 *
 * @typedef {{things: Placed[], background: string}} Drawing
 */

/**
 * @param {any} palette  kinds, colours, sizes, backgrounds, from Python
 * @param {Drawing} first
 * @param {(drawing: Drawing) => void} onChange  called when a change is finished
 */
export function drawPad(palette, first, onChange) {
  const drawing = { things: first.things.map((thing) => ({ ...thing })), background: first.background };
  let chosen = drawing.things.length - 1;

  const changed = () => {
    update();
    onChange({ things: drawing.things.map((thing) => ({ ...thing })), background: drawing.background });
  };
  /** Change the chosen thing. */
  const edit = (field, value) => {
    if (!drawing.things[chosen]) return;
    drawing.things[chosen][field] = value;
    if (field === "kind" && value === "sign" && !drawing.things[chosen].text) drawing.things[chosen].text = "HELLO";
    changed();
  };

  const kind = kindSelect(palette.kinds, (value) => edit("kind", value));
  const sizes = Object.keys(palette.sizes).map((value) => ({ value, label: value }));
  const size = segmented("Size", sizes, (value) => edit("size", value));
  const swatches = Object.entries(palette.colours).map(([value, css]) => ({ value, label: "", title: value, css }));
  const colour = segmented("Colour", swatches, (value) => edit("colour", value));
  colour.el.classList.add("vlms-swatches");
  colour.el.querySelectorAll("span").forEach((span, i) => span.style.setProperty("background", swatches[i].css));
  colour.el.querySelectorAll("input").forEach((input, i) => input.setAttribute("aria-label", swatches[i].value));
  const text = h("input", { type: "text", maxlength: 6, size: 7, onchange: () => edit("text", text.value.trim().toUpperCase() || "HI") });
  const sign = field("Says", text);
  const ground = dropdown("Background", palette.backgrounds.map((value) => ({ value, label: value })), (value) => {
    drawing.background = value;
    changed();
  });
  const advice = h("p", { class: "vlms-hint", role: "status" }, ADVICE);
  const list = h("ul", { class: "vlms-things" });
  const add = h("button", { type: "button", onclick: () => place(0.5, 0.5) }, "Add a thing");
  const el = h(
    "div",
    { class: "vlms-draw" },
    advice,
    list,
    h("div", { class: "vlms-controls" }, kind.el, size.el, sign),
    h("div", { class: "vlms-controls" }, colour.el, ground.el, add),
  );

  /** Add a thing like the chosen one. */
  const place = (x, y) => {
    if (drawing.things.length >= MOST_THINGS) return say(advice, FULL);
    const like = drawing.things[chosen] ?? { kind: "ball", colour: "red", size: "medium", text: "" };
    drawing.things.push({ ...like, x, y });
    chosen = drawing.things.length - 1;
    changed();
  };
  const remove = (index) => {
    if (drawing.things.length === 1) return;
    drawing.things.splice(index, 1);
    chosen = Math.min(chosen, drawing.things.length - 1);
    changed();
  };

  const update = () => {
    say(advice, ADVICE);
    const now = drawing.things[chosen];
    kind.set(now.kind);
    size.set(now.size);
    colour.set(now.colour);
    text.value = now.text;
    sign.hidden = now.kind !== "sign";
    ground.set(drawing.background);
    add.disabled = drawing.things.length >= MOST_THINGS;
    list.replaceChildren(...drawing.things.map((thing, i) => thingRow(thing, i === chosen, drawing.things.length > 1, () => {
      chosen = i;
      update();
    }, () => remove(i))));
    surface.mark(now, palette.sizes[now.size]);
  };

  const surface = drawSurface({
    at(x, y) {
      const reach = (thing) => Math.max(Math.abs(thing.x - x), Math.abs(thing.y - y)) / palette.sizes[thing.size];
      const hit = drawing.things.map((thing, i) => [reach(thing), i]).filter(([distance]) => distance < 1).sort((a, b) => a[0] - b[0])[0];
      if (!hit) return place(x, y);
      chosen = hit[1];
      return update();
    },
    drag(x, y) {
      Object.assign(drawing.things[chosen], { x, y });
      surface.mark(drawing.things[chosen], palette.sizes[drawing.things[chosen].size]);
    },
    nudge(dx, dy) {
      const thing = drawing.things[chosen];
      Object.assign(thing, { x: within(thing.x + dx), y: within(thing.y + dy) });
      changed();
    },
    dropped: changed,
  });
  update();
  return { el, surface: surface.el, get drawing() {
    return drawing;
  } };
}

function thingRow(thing, chosen, removable, choose, remove) {
  const name = `${thing.colour} ${thing.kind}`;
  return h(
    "li",
    { class: chosen ? "chosen" : "" },
    h("button", { type: "button", "aria-pressed": String(chosen), onclick: choose }, name),
    h("button", { type: "button", disabled: !removable, "aria-label": `Remove the ${name}`, onclick: remove }, "×"),
  );
}

function kindSelect(kinds, onChange) {
  const select = h("select", { onchange: () => onChange(select.value) });
  for (const group of new Set(kinds.map((kind) => kind.group))) {
    const options = kinds.filter((kind) => kind.group === group).map(({ name }) => h("option", { value: name }, name));
    select.append(h("optgroup", { label: group }, ...options));
  }
  return { el: field("Thing", select), set: (value) => (select.value = value) };
}

/** The transparent sheet over the picture that takes clicks, drags and arrow keys. */
function drawSurface(on) {
  const outline = h("div", { class: "vlms-mark hovered" });
  const el = h("div", { class: "vlms-sheet", tabindex: "0", role: "application", "aria-label": "Drawing: arrow keys move the chosen thing" }, outline);
  const at = (event) => {
    const area = el.getBoundingClientRect();
    return [within((event.clientX - area.left) / area.width), within((event.clientY - area.top) / area.height)];
  };
  let start = null;
  let moved = false;
  el.addEventListener("pointerdown", (event) => {
    start = at(event);
    moved = false;
    el.setPointerCapture(event.pointerId);
    on.at(...start);
  });
  el.addEventListener("pointermove", (event) => {
    if (!start) return;
    const now = at(event);
    if (!moved && Math.hypot(now[0] - start[0], now[1] - start[1]) < 0.02) return;
    moved = true;
    on.drag(...now);
  });
  el.addEventListener("pointerup", () => {
    start = null;
    if (moved) on.dropped();
  });
  el.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[event.key];
    if (!move) return;
    event.preventDefault();
    event.stopPropagation();
    on.nudge(move[0], move[1]);
  });
  return {
    el,
    /** Outline the chosen thing. @param {Placed} thing @param {number} radius */
    mark({ x, y }, radius) {
      const style = { left: x - radius, top: y - radius, width: 2 * radius, height: 2 * radius };
      Object.entries(style).forEach(([key, value]) => outline.style.setProperty(key, `${value * 100}%`));
    },
  };
}

function within(value) {
  return Math.round(Math.min(0.97, Math.max(0.03, value)) * 1000) / 1000;
}
