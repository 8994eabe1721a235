// Jobs as a list of bars, the running ones with a cancel button.
import { h } from "./dom.js";
import { enable, watch } from "./view.js";

const WORDS = { queued: "waiting", running: "running", done: "done", failed: "failed", cancelled: "cancelled" };

/**
 * @typedef {object} JobState  as Python sends it
 * @property {number} id
 * @property {string} name
 * @property {string} state
 * @property {number | null} progress
 * @property {string} message
 */

/** Whether a job still waits or runs. @param {JobState} job */
export function isOpen({ state }) {
  return state === "queued" || state === "running";
}

/** One job's row; it stays in the page while the job changes, so that the focus stays on its button. */
function jobRow(job, model) {
  const name = h("span", { class: "vlms-job-name" });
  const state = h("span", { class: "vlms-job-state" });
  const fill = h("div", { class: "vlms-job-fill" });
  const bar = h("div", { class: "vlms-job-track", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, fill);
  const button = h("button", { type: "button", onclick: () => model.send({ kind: "cancel", id: job.id }) }, "Cancel");
  enable(button, true, model);
  const el = h("li", { class: "vlms-job" }, name, state, button, bar);
  return {
    el,
    /** @param {JobState} now */
    update(now) {
      const open = isOpen(now);
      const percent = now.progress === null ? null : Math.round(now.progress * 100);
      el.dataset.state = now.state;
      name.textContent = now.name;
      const share = percent === null || !open ? "" : `${percent} %`;
      state.textContent = [open && now.message ? "" : WORDS[now.state], share, now.message].filter(Boolean).join(" · ");
      state.title = state.textContent;
      button.hidden = !open;
      button.setAttribute("aria-label", `Cancel ${now.name}`);
      bar.setAttribute("aria-label", now.name);
      if (percent === null) bar.removeAttribute("aria-valuenow");
      else bar.setAttribute("aria-valuenow", String(percent));
      bar.classList.toggle("unknown", percent === null && now.state === "running");
      fill.style.width = now.state === "done" ? "100%" : `${percent ?? 0}%`;
    },
  };
}

/**
 * The list of a model's jobs, kept in step.
 * @param {any} model  with the trait "jobs"
 * @param {HTMLElement} body
 * @param {AbortSignal} signal
 * @param {string} idle  what to say where there is none
 */
export function jobList(model, body, signal, idle) {
  const rows = new Map();
  const list = h("ul", { class: "vlms-jobs" });
  const nothing = h("p", { class: "vlms-hint" }, idle);
  const news = h("div", { class: "vlms-hidden", role: "status" });
  body.append(nothing, list, news);
  const said = new Map();

  const update = () => {
    const jobs = model.get("jobs");
    nothing.hidden = jobs.length > 0;
    for (const id of [...rows.keys()]) if (!jobs.some((job) => job.id === id)) rows.delete(id);
    for (const job of jobs) {
      if (!rows.has(job.id)) rows.set(job.id, jobRow(job, model));
      rows.get(job.id).update(job);
      if (said.get(job.id) !== job.state) news.textContent = `${job.name}: ${WORDS[job.state]}`;
      said.set(job.id, job.state);
    }
    const wanted = jobs.map((job) => rows.get(job.id).el);
    if (wanted.length !== list.children.length || wanted.some((el, i) => el !== list.children[i])) list.replaceChildren(...wanted);
  };
  watch(model, ["jobs"], update, signal);
  update();
}
