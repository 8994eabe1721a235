// Light or dark: whatever the notebook around us is, now and when it changes.

/**
 * The theme of the page.
 * @returns {"light" | "dark"}
 */
export function pageTheme() {
  const root = document.documentElement;
  const body = document.body;
  const chosen = root.dataset.theme ?? root.getAttribute("theme"); // an exported page's own switch; Colab
  if (chosen === "dark" || chosen === "light") return chosen;
  if (body.dataset.jpThemeLight !== undefined) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  const code = body.dataset.vscodeThemeKind ?? body.className;
  if (/vscode-(dark|high-contrast)(?!-light)/.test(code)) return "dark";
  if (/vscode-(light|high-contrast-light)/.test(code)) return "light";
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/**
 * Keep `data-theme` of an element in step with the page.
 * @param {HTMLElement} el
 * @param {(theme: string) => void} [onChange]
 * @returns {() => void} stop watching
 */
export function followTheme(el, onChange) {
  const update = () => {
    const theme = pageTheme();
    if (el.dataset.theme === theme) return;
    el.dataset.theme = theme;
    onChange?.(theme);
  };
  const observer = new MutationObserver(update);
  const attributes = { attributes: true, attributeFilter: ["class", "theme", "data-theme", "data-jp-theme-light", "data-vscode-theme-kind"] };
  observer.observe(document.documentElement, attributes);
  observer.observe(document.body, attributes);
  const scheme = window.matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", update);
  update();
  return () => {
    observer.disconnect();
    scheme.removeEventListener("change", update);
  };
}
