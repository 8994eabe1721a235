// The static host of an exported page: state from the page, no kernel, the same view modules as in a notebook.
import { h } from "./dom.js";

/** A model as a view knows it, over plain values. */
class StaticModel {
  /** @param {Record<string, any>} state */
  constructor(state) {
    this.kernel = false;
    this.state = state;
    /** @type {Map<string, Set<Function>>} */
    this.listeners = new Map();
  }

  get(name) {
    return this.state[name];
  }

  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const listener of [...(this.listeners.get(`change:${name}`) ?? [])]) listener();
  }

  save_changes() {}

  send() {}

  on(event, callback) {
    if (!this.listeners.has(event)) this.listeners.set(event, new Set());
    this.listeners.get(event).add(callback);
  }

  off(event, callback) {
    this.listeners.get(event)?.delete(callback);
  }
}

/** Bytes stand in the page as {"$bytes": base64}. */
function revive(_key, value) {
  if (value === null || typeof value !== "object" || typeof value.$bytes !== "string") return value;
  const text = atob(value.$bytes);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new DataView(bytes.buffer);
}

/**
 * Draw every view of one kind that stands in the page.
 * @param {string} name  file name of the view's module
 * @param {{render: (context: any) => any}} view
 */
function mountViews(name, view) {
  for (const holder of document.querySelectorAll(`[data-vlms-view="${name}"]`)) {
    const state = JSON.parse(holder.querySelector("script").textContent, revive);
    const el = h("div");
    holder.append(el);
    view.render({ model: new StaticModel(state), el });
  }
}

/** The page's own light and dark switch; without a choice it follows the system. */
function themeSwitch() {
  const button = document.querySelector("[data-vlms-theme]");
  button?.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
}

// Several view modules may stand in one page; the switch is wired once.
if (!globalThis[Symbol.for("vlmscope.page")]) {
  globalThis[Symbol.for("vlmscope.page")] = true;
  themeSwitch();
}
