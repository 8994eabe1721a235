// A photo from the user's disk to the kernel, small enough for the ten megabytes a message may have on its way there.
import { h } from "./dom.js";

const LARGEST_SIDE = 2048;
const LARGEST_FILE = 6e6;

/**
 * The file as it will be sent: untouched where it is small, else scaled down here, upright as the camera held it.
 * @param {File} file
 * @returns {Promise<ArrayBuffer>}
 */
export async function readyToSend(file) {
  let bitmap = null;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    // A format this browser cannot show; Python may read it.
  }
  const side = bitmap ? Math.max(bitmap.width, bitmap.height) : 0;
  if (file.size <= LARGEST_FILE && side <= LARGEST_SIDE) return file.arrayBuffer();
  if (!bitmap) throw new Error(`${file.name} is too large to send and this browser cannot scale it; give its path to runner.ask().`);
  const scale = Math.min(1, LARGEST_SIDE / side);
  const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "white"; // as Python does with what is transparent
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  return blob.arrayBuffer();
}

/**
 * Choose a file, or drop one.
 * @param {(name: string, bytes: ArrayBuffer) => void} onFile
 */
export function uploadField(onFile) {
  const problem = h("p", { class: "vlms-hint", role: "alert" });
  const input = h("input", { type: "file", accept: "image/*", onchange: () => input.files[0] && take(input.files[0]) });
  const el = h(
    "div",
    { class: "vlms-upload" },
    h("label", { class: "vlms-drop" }, h("span", {}, "Choose a photo, or drop one here"), input),
    problem,
    h("p", { class: "vlms-hint" }, "A model that has only ever seen drawn scenes, as the one that ships has, guesses about photos. Larger ones load by name."),
  );
  const take = async (file) => {
    problem.textContent = "";
    try {
      onFile(file.name, await readyToSend(file));
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
  };
  el.addEventListener("dragover", (event) => event.preventDefault());
  el.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
  return el;
}
