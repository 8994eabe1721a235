// From values to colours: the 256-entry tables that one map is drawn with.
import { bytesOf } from "./codec.js";

/**
 * A colour table that goes straight from a map's code (0..255 over its own range) to RGBA pixels.
 *
 * @param {any} table     256 RGB triples, from Python
 * @param {number} lo     value of code 0
 * @param {number} hi     value of code 255
 * @param {[number, number]} scale  values at the two ends of the colour map
 * @param {boolean} fade  whether low values let the picture through
 * @returns {Uint32Array} pixels as putImageData wants them
 */
export function pixelTable(table, lo, hi, [from, to], fade) {
  const rgb = bytesOf(table);
  const out = new Uint8ClampedArray(256 * 4);
  for (let code = 0; code < 256; code++) {
    const value = lo + (code / 255) * (hi - lo);
    const share = to > from ? Math.min(1, Math.max(0, (value - from) / (to - from))) : 0;
    const row = Math.round(share * 255) * 3;
    out.set([rgb[row], rgb[row + 1], rgb[row + 2], fade ? fadeOf(share) : 255], code * 4);
  }
  return new Uint32Array(out.buffer);
}

const AGAINST = [62, 118, 196];
const IN_FAVOUR = [214, 104, 20];

/**
 * A colour table for values of both signs: blue below 0, orange above, and the further from 0 the less of the picture.
 *
 * @param {number} lo   value of code 0
 * @param {number} hi   value of code 255
 * @returns {Uint32Array} pixels as putImageData wants them
 */
export function signedTable(lo, hi) {
  const out = new Uint8ClampedArray(256 * 4);
  const furthest = Math.max(Math.abs(lo), Math.abs(hi)) || 1;
  for (let code = 0; code < 256; code++) {
    const value = lo + (code / 255) * (hi - lo);
    out.set([...(value < 0 ? AGAINST : IN_FAVOUR), fadeOf(Math.abs(value) / furthest)], code * 4);
  }
  return new Uint32Array(out.buffer);
}

// Opaque from three quarters of the scale on, so that high values show their true colour.
function fadeOf(share) {
  return 255 * Math.min(1, 1.3 * share ** 0.9);
}

/**
 * Draw one map at patch resolution; CSS scales the canvas to the picture.
 * @param {HTMLCanvasElement} canvas  cols x rows
 * @param {Uint8Array} codes
 * @param {number} start  first code of the map
 * @param {Uint32Array} pixels
 */
export function drawMap(canvas, codes, start, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < out.length; i++) out[i] = pixels[codes[start + i]];
  context.putImageData(image, 0, 0);
}

/**
 * A horizontal strip of the whole colour map.
 * @param {HTMLCanvasElement} canvas  256 x 1
 * @param {any} table
 */
export function drawScale(canvas, table) {
  drawMap(canvas, Uint8Array.from({ length: 256 }, (_, i) => i), 0, pixelTable(table, 0, 1, [0, 1], false));
}
