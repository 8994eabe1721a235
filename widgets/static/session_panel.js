// The loaded models and the memory they take.
import { h, say } from "./dom.js";
import { enable, mountView, watch } from "./view.js";

/** One loaded model as a row. @param {any} runner @param {any} model  the view's */
function runnerRow(runner, model) {
  const facts = [runner.device, runner.dtype, runner.revision && `revision ${runner.revision}`].filter(Boolean).join(" · ");
  const button = h(
    "button",
    { type: "button", "aria-label": `Close ${runner.checkpoint}`, onclick: () => model.send({ kind: "close", key: runner.key }) },
    runner.closing ? "Closing …" : "Close",
  );
  enable(button, !runner.closing, model);
  return h(
    "li",
    { class: "vlms-runner" },
    h("span", { class: "vlms-runner-name" }, runner.checkpoint),
    h("span", { class: "vlms-number" }, runner.size),
    button,
    h("span", { class: "vlms-hint" }, facts),
  );
}

/** Memory taken on one kind of device. */
function budgetBar({ device, share, text }) {
  const fill = h("div", { class: "vlms-budget-fill", style: { width: `${share * 100}%` } });
  const track = h("div", { class: "vlms-budget-track", role: "meter", "aria-label": `Memory on ${device}`, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(share * 100), "aria-valuetext": text }, fill);
  return h("div", { class: "vlms-budget" }, h("span", {}, device), track, h("span", { class: "vlms-number" }, text));
}

function renderSessionPanel(context) {
  const { model } = context;
  return mountView(context, "session-panel", "Loaded models", (body, signal) => {
    const list = h("ul", { class: "vlms-runners" });
    const budgets = h("div", { class: "vlms-budgets" });
    const news = h("p", { class: "vlms-hint", role: "status" });
    body.append(h("h3", {}, "Loaded models"), list, budgets, news);
    const update = () => {
      const runners = model.get("runners");
      const empty = h("li", { class: "vlms-hint" }, "None yet: explore.load() loads one.");
      list.replaceChildren(...(runners.length ? runners.map((runner) => runnerRow(runner, model)) : [empty]));
      budgets.replaceChildren(...model.get("budgets").map(budgetBar));
      say(news, [model.get("message"), `Kept results take ${model.get("cache")}.`].filter(Boolean).join(" "));
    };
    watch(model, ["runners", "budgets", "cache", "message"], update, signal);
    update();
  });
}

const sessionPanel = { render: renderSessionPanel };
export default sessionPanel;
