// Where a notebook begins: a picture on the left, ways to get one and the question on the right.
import { segmented } from "./controls.js";
import { focused, h, say, uniqueId } from "./dom.js";
import { drawPad } from "./draw_pad.js";
import { isOpen, jobList } from "./jobs.js";
import { pictureUrl } from "./picture.js";
import { uploadField } from "./upload.js";
import { enable, hasKernel, mountView, watch } from "./view.js";

const ORIGINS = [
  { value: "example", label: "Scenes" },
  { value: "drawing", label: "Draw" },
  { value: "photo", label: "Photo" },
];

/** Shows pictures from bytes and lets go of those no longer shown. */
class Pictures {
  /** @param {AbortSignal} signal */
  constructor(signal) {
    this.urls = new Map();
    signal.addEventListener("abort", () => this.urls.forEach((url) => URL.revokeObjectURL(url)));
  }

  /** @param {string} key  one picture at a time per key @param {any} picture */
  url(key, picture) {
    if (this.urls.get(key)?.picture === picture) return this.urls.get(key).url;
    if (this.urls.has(key)) URL.revokeObjectURL(this.urls.get(key).url);
    this.urls.set(key, { picture, url: pictureUrl(picture) });
    return this.urls.get(key).url;
  }
}

/** The shipped scenes as thumbnails. */
function gallery(examples, pictures, onChoose) {
  const name = uniqueId("scene");
  const inputs = examples.map((_, i) => h("input", { type: "radio", name, onchange: () => onChoose(i) }));
  const cells = examples.map(({ title, picture }, i) =>
    h("label", { title }, inputs[i], h("img", { src: pictures.url(`example ${i}`, picture), alt: title, width: 72, height: 72 })),
  );
  const el = h("div", { class: "vlms-gallery", role: "radiogroup", "aria-label": "Scenes" }, ...cells);
  return { el, set: (index) => inputs.forEach((input, i) => (input.checked = i === index)) };
}

class AskForm {
  /** @param {any} model @param {HTMLElement} body @param {AbortSignal} signal */
  constructor(model, body, signal) {
    this.model = model;
    this.pictures = new Pictures(signal);
    this.image = h("img", { alt: "", draggable: "false" });
    this.caption = h("p", { class: "vlms-hint vlms-caption" });
    this.origin = segmented("Picture from", ORIGINS, (value) => this.set("origin", value));
    this.gallery = gallery(model.get("examples"), this.pictures, (index) => this.set("example", index));
    this.pad = drawPad(model.get("palette"), model.get("drawing"), (drawing) => this.draw(drawing));
    this.upload = uploadField((name, bytes) => model.send({ kind: "upload", name }, undefined, [bytes]));
    this.tabs = { example: this.gallery.el, drawing: this.pad.el, photo: this.upload };
    this.question = h("input", { type: "text", class: "vlms-question", "aria-label": "Question", placeholder: "Ask about the picture" });
    this.button = h("button", { type: "submit", class: "primary" }, "Ask");
    this.suggestions = h("div", { class: "vlms-suggestions", role: "group", "aria-label": "Questions to try" });
    this.layOut(body, signal);
    watch(model, ["origin", "example", "drawn", "uploaded", "question"], () => this.update(), signal);
    watch(model, ["jobs"], () => this.updateButton(), signal);
    this.update();
  }

  layOut(body, signal) {
    const ask = (event) => {
      event.preventDefault();
      if (this.button.disabled) return;
      const question = this.question.value.trim();
      this.set("question", question);
      // All of it once more: a busy kernel hears of changed traits later than of a message.
      const shown = Object.fromEntries(["origin", "example", "drawing"].map((name) => [name, this.model.get(name)]));
      this.model.send({ kind: "ask", question, ...shown });
    };
    this.question.addEventListener("input", () => this.updateButton());
    const jobs = h("div", { class: "vlms-form-jobs" });
    const form = h("form", { class: "vlms-ask", onsubmit: ask }, this.question, this.button);
    body.append(
      h("div", { class: "vlms-stage" }, h("div", { class: "vlms-frame" }, this.image, this.pad.surface), this.caption),
      h("div", { class: "vlms-choice" }, this.origin.el, h("div", { class: "vlms-tab" }, ...Object.values(this.tabs)), form, this.suggestions, jobs),
    );
    const live = hasKernel(this.model);
    for (const el of [this.pad.el, this.pad.surface, this.upload]) el.inert = !live;
    jobList(this.model, jobs, signal, live ? "The model runs when you press Ask, and not before." : "This is a saved page: the model answers in a notebook only.");
  }

  set(name, value) {
    this.model.set(name, value);
    this.model.save_changes(); // its change event has updated the form
  }

  draw(drawing) {
    this.model.set("drawing", drawing);
    this.model.save_changes();
    this.model.send({ kind: "draw", drawing });
  }

  /** Picture, title and questions of what is chosen now. */
  get shown() {
    const origin = this.model.get("origin");
    if (origin === "example") return this.model.get("examples")[this.model.get("example")];
    if (origin === "drawing") return this.model.get("drawn");
    const { name, picture } = this.model.get("uploaded");
    return { title: name ?? "", picture, questions: this.model.get("suggestions") };
  }

  update() {
    const origin = this.model.get("origin");
    const { title, picture, questions } = this.shown;
    this.origin.set(origin);
    this.gallery.set(this.model.get("example"));
    for (const [name, el] of Object.entries(this.tabs)) el.hidden = name !== origin;
    this.pad.surface.hidden = origin !== "drawing";
    this.image.hidden = !picture;
    if (picture) this.image.src = this.pictures.url(origin === "example" ? `example ${this.model.get("example")}` : origin, picture);
    this.image.alt = title;
    say(this.caption, origin === "photo" ? title : "");
    this.offer(questions);
    if (focused(this.question) !== this.question) this.question.value = this.model.get("question");
    this.updateButton();
  }

  /** Questions to try; one that came from the last picture's list gives way to this one's. */
  offer(questions) {
    const before = this.offered;
    if (before?.join("\n") === questions.join("\n")) return;
    this.offered = questions;
    if (before?.includes(this.question.value) && !questions.includes(this.question.value)) this.set("question", questions[0]);
    const chip = (text) => h("button", { type: "button", onclick: () => this.take(text) }, text);
    this.suggestions.replaceChildren(...questions.map(chip));
  }

  take(text) {
    this.question.value = text;
    this.set("question", text);
    this.question.focus();
  }

  updateButton() {
    const open = this.model.get("jobs").some(isOpen);
    enable(this.button, Boolean(this.question.value.trim() && this.shown.picture) && !open, this.model);
  }
}

function renderAskForm(context) {
  return mountView(context, "ask-form", "Ask about a picture", (body, signal) => void new AskForm(context.model, body, signal));
}

const askForm = { render: renderAskForm };
export default askForm;
