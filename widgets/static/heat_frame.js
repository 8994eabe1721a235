// A picture with a heat map over it, nothing to point at.
import { bytesOf } from "./codec.js";
import { drawMap } from "./colors.js";
import { h } from "./dom.js";

/**
 * @typedef {object} GridState  as Python sends it
 * @property {string} label
 * @property {number} picture  index into the pictures
 * @property {number} rows
 * @property {number} cols
 * @property {number} start    index of its first patch among all visual tokens
 * @property {number[]} box    left, top, width, height of the grid as parts of the picture
 * @property {number[]} size   width and height of the picture in pixels
 */

/** An object URL of a picture's bytes. @param {{mime: string, bytes: any}} picture */
export function pictureUrl(picture) {
  return URL.createObjectURL(new Blob([bytesOf(picture.bytes)], { type: picture.mime }));
}

/** Object URLs of a run's pictures for as long as a view lives. @param {any[]} pictures @param {AbortSignal} signal */
export function pictureUrls(pictures, signal) {
  const urls = pictures.map(pictureUrl);
  signal.addEventListener("abort", () => urls.forEach((url) => URL.revokeObjectURL(url)));
  return urls;
}

/** Where a grid lies in its picture, as a style. @param {GridState} grid */
export function placeOf({ box: [left, top, width, height] }) {
  return { left: `${left * 100}%`, top: `${top * 100}%`, width: `${width * 100}%`, height: `${height * 100}%` };
}

/**
 * @param {GridState} grid
 * @param {string | undefined} url  none where the run kept no picture: the map then stands alone
 * @param {...Node} above  what lies over the map
 */
export function heatFrame(grid, url, ...above) {
  const [width, height] = grid.size;
  const heat = h("canvas", { class: "vlms-heat", width: grid.cols, height: grid.rows, style: placeOf(grid), "aria-hidden": "true" });
  const image = url && h("img", { src: url, alt: grid.label, draggable: "false", width, height });
  const shape = { "aspect-ratio": `${width} / ${height}`, "--ratio": width / height };
  const el = h("div", { class: "vlms-frame", style: shape }, image, heat, ...above);
  return {
    el,
    /** Draw a map, or with null clear it. @param {Uint8Array | null} codes @param {number} start @param {Uint32Array} [pixels] */
    paint(codes, start, pixels) {
      if (codes && pixels) drawMap(heat, codes, start + grid.start, pixels);
      else heat.getContext("2d").clearRect(0, 0, grid.cols, grid.rows);
    },
    /** @param {{opacity: number, smooth: boolean}} look */
    look({ opacity, smooth }) {
      heat.style.opacity = String(opacity);
      heat.classList.toggle("pixelated", !smooth);
    },
  };
}
