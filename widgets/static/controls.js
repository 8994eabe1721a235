// Form controls, all native: keyboard and screen readers come with them.
import { h, uniqueId } from "./dom.js";

/**
 * One choice of a few, all visible.
 * @param {string} label
 * @param {{value: string, label: string, title?: string, muted?: boolean}[]} options
 * @param {(value: string) => void} onChange
 */
export function segmented(label, options, onChange) {
  const name = uniqueId("choice");
  const inputs = options.map(({ value }) => h("input", { type: "radio", name, value, onchange: () => onChange(value) }));
  const parts = options.map((option, i) =>
    h("label", { class: option.muted ? "muted" : "", title: option.title }, inputs[i], h("span", {}, option.label)),
  );
  const el = h("div", { class: "vlms-segmented", role: "radiogroup", "aria-label": label }, ...parts);
  return { el, set: (value) => inputs.forEach((input) => (input.checked = input.value === value)) };
}

/**
 * Any of a few, all visible.
 * @param {string} label
 * @param {{value: string, label: string, title?: string, muted?: boolean}[]} options
 * @param {(values: string[]) => void} onChange  those that are on, in the order of the options
 */
export function choices(label, options, onChange) {
  const changed = () => onChange(inputs.filter((input) => input.checked).map((input) => input.value));
  const inputs = options.map(({ value }) => h("input", { type: "checkbox", value, onchange: changed }));
  const parts = options.map((option, i) =>
    h("label", { class: option.muted ? "muted" : "", title: option.title }, inputs[i], h("span", {}, option.label)),
  );
  const el = h("div", { class: "vlms-segmented vlms-choices", role: "group", "aria-label": label }, ...parts);
  return { el, set: (values) => inputs.forEach((input) => (input.checked = values.includes(input.value))) };
}

/**
 * A control with its label beside it.
 * @param {string} label
 * @param {HTMLElement} control
 * @param {...Node} rest
 */
export function field(label, control, ...rest) {
  control.id = uniqueId("field");
  return h("span", { class: "vlms-field" }, h("label", { for: control.id }, label), control, ...rest);
}

/**
 * One choice of several, folded.
 * @param {string} label
 * @param {{value: string, label: string}[]} options
 * @param {(value: string) => void} onChange
 */
export function dropdown(label, options, onChange) {
  const select = h("select", { onchange: () => onChange(select.value) });
  select.append(...options.map(({ value, label: text }) => h("option", { value }, text)));
  return { el: field(label, select), set: (value) => (select.value = value) };
}

/**
 * A slider from 0 to 1 with its value beside it.
 * @param {string} label
 * @param {(value: number) => void} onInput
 */
export function slider(label, onInput) {
  const out = h("span", { class: "vlms-number" });
  const show = (value) => (out.textContent = `${Math.round(value * 100)} %`);
  const input = h("input", {
    type: "range",
    min: 0,
    max: 1,
    step: 0.05,
    oninput: () => {
      show(input.valueAsNumber);
      onInput(input.valueAsNumber);
    },
  });
  return {
    el: field(label, input, out),
    set(value) {
      input.valueAsNumber = value;
      show(value);
    },
  };
}

/**
 * On or off.
 * @param {string} label
 * @param {string} title
 * @param {(value: boolean) => void} onChange
 */
export function toggle(label, title, onChange) {
  const input = h("input", { type: "checkbox", role: "switch", onchange: () => onChange(input.checked) });
  const el = h("label", { class: "vlms-toggle", title }, input, h("span", {}, label));
  return { el, set: (value) => (input.checked = value) };
}
