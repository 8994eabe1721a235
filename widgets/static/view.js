// What every view does before it draws: its root, its theme, its errors.
import { h } from "./dom.js";
import { followTheme } from "./theme.js";

/**
 * Make the root of a view inside the notebook's element and draw into it; a failure is shown where the view would be.
 *
 * @param {{model: any, el: HTMLElement, signal?: AbortSignal}} context  what anywidget (or host.js) hands to render
 * @param {string} kind   class of the root
 * @param {string} label  what a screen reader calls it
 * @param {(root: HTMLElement, signal: AbortSignal) => void} draw
 */
export function mountView({ model, el, signal }, kind, label, draw) {
  const ended = new AbortController();
  // Without the attribute, keys pressed in a view would also reach the notebook and insert cells.
  const root = h("section", { class: `vlms vlms-${kind}`, "aria-label": label, "data-lm-suppress-shortcuts": "true" });
  const problem = h("div", { class: "vlms-error", role: "alert", hidden: true });
  const body = h("div", { class: "vlms-body" });
  root.append(problem, body);
  el.replaceChildren(root);
  const stopTheme = followTheme(root);
  const showError = () => {
    const text = model.get("error") || "";
    problem.textContent = text;
    problem.hidden = text === "";
  };
  model.on("change:error", showError);
  showError();
  try {
    draw(body, ended.signal);
  } catch (error) {
    body.replaceChildren();
    problem.hidden = false;
    problem.textContent = `This view could not be drawn: ${error instanceof Error ? error.message : error}`;
    console.error(error);
  }
  const cleanup = () => {
    ended.abort();
    stopTheme();
    model.off("change:error", showError);
  };
  signal?.addEventListener("abort", cleanup);
  return cleanup;
}

/** Whether anybody answers: on an exported page (host.js) nobody does. @param {any} model */
export function hasKernel(model) {
  return model.kernel !== false;
}

/** Switch a button on or off; where only a kernel could answer it, it stays off and says why. */
export function enable(button, on, model) {
  button.disabled = !on || !hasKernel(model);
  if (!hasKernel(model)) button.title = "This is a saved page: only a notebook can do that.";
}

/**
 * Listen to traits of a model for as long as a view lives.
 * @param {any} model
 * @param {string[]} names
 * @param {() => void} callback
 * @param {AbortSignal} signal
 */
export function watch(model, names, callback, signal) {
  for (const name of names) model.on(`change:${name}`, callback);
  signal.addEventListener("abort", () => {
    for (const name of names) model.off(`change:${name}`, callback);
  });
}
