// The selection of one run, shared by all its views on the page, in whatever cells they stand.

/**
 * @typedef {object} Selected
 * @property {number | null} token    sequence position
 * @property {number | null} patch    index among the visual tokens
 * @property {number | null} layer
 * @property {number | null} head
 * @property {{token?: number, patch?: number} | null} hovered
 * @property {number[]} brush         more patches
 * @property {string} by              "python", "auto" (a view's own first choice) or the id of a page
 */

const EMPTY = { token: null, patch: null, layer: null, head: null, hovered: null, brush: [], by: "auto" };

// Every widget is a module of its own, so what they share must hang on the page.
const SHARED = Symbol.for("vlmscope.selections");
const PAGE = `page-${Math.random().toString(36).slice(2, 10)}`;

/**
 * One run's selection, made when its first view appears.
 * @param {string} run
 * @returns {{state: Selected, listeners: Set<Function>}}
 */
function entryOf(run) {
  globalThis[SHARED] ??= new Map();
  const runs = globalThis[SHARED];
  if (!runs.has(run)) runs.set(run, { state: { ...EMPTY }, listeners: new Set() });
  return runs.get(run);
}

/**
 * Join a view's model to the selection of its run: the browser owns the selection, the model mirrors it to Python.
 *
 * @param {any} model  with the traits "run" and "selection"
 * @param {(state: Selected, changed: Set<string>) => void} onChange
 * @param {AbortSignal} [signal]  ends the membership
 */
export function joinSelection(model, onChange, signal) {
  const entry = entryOf(model.get("run"));
  const mirror = debounced(() => {
    model.set("selection", { ...entry.state, by: PAGE });
    model.save_changes();
  }, 120);

  /** Change some fields; everybody hears of it before this returns. */
  const select = (patch, by = PAGE) => {
    const changed = new Set(Object.keys(patch).filter((key) => !same(entry.state[key], patch[key])));
    if (!changed.size) return;
    entry.state = { ...entry.state, ...patch, by };
    for (const listener of [...entry.listeners]) listener(entry.state, changed);
  };

  const listener = (state, changed) => {
    onChange(state, changed);
    mirror();
  };
  const fromPython = () => {
    const { by, ...values } = model.get("selection");
    if (by !== PAGE) select(values, by);
  };

  entry.listeners.add(listener);
  model.on("change:selection", fromPython);
  const leave = () => {
    mirror.flush();
    entry.listeners.delete(listener);
    model.off("change:selection", fromPython);
  };
  signal?.addEventListener("abort", leave);

  // A newcomer takes over what the others show, unless it was told from Python what to select; where nobody has
  // chosen yet, its own suggestion (or what was saved with it) fills the gaps.
  const { by, ...values } = { ...EMPTY, ...model.get("selection") };
  const gaps = Object.keys(values).filter((key) => same(entry.state[key], EMPTY[key]));
  if (by === "python" && !same(values, without(EMPTY, "by"))) select(values, by);
  else if (entry.state.by === "auto") select(Object.fromEntries(gaps.map((key) => [key, values[key]])), "auto");

  return {
    /** @returns {Selected} */
    get state() {
      return entry.state;
    },
    select,
    leave,
  };
}

function without(object, key) {
  const { [key]: _, ...rest } = object;
  return rest;
}

function same(a, b) {
  return JSON.stringify(a) === JSON.stringify(b);
}

// The mirror is for scripts and saving: it may lag, so dragging the mouse does not flood the kernel.
function debounced(fn, wait) {
  let timer = 0;
  const run = () => {
    timer = 0;
    fn();
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
  later.flush = () => {
    if (!timer) return;
    clearTimeout(timer);
    run();
  };
  return later;
}
