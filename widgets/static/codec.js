// Arrays from Python: the twin of widgets/codec.py, where the format is described.

/**
 * @typedef {object} Packed
 * @property {string} dtype    "uint8", "int32", "float32" ...
 * @property {number[]} shape
 * @property {number} maps     how many (lo, hi) pairs stand in front of the values; 0 for a plain array
 * @property {DataView | ArrayBuffer | Uint8Array} buffer
 */

/**
 * @typedef {object} Decoded
 * @property {any} values      one typed array, in C order
 * @property {number[]} shape
 * @property {Float32Array} lo  lowest value of every map
 * @property {Float32Array} hi
 * @property {number} size     values in one map
 */

const ARRAY_TYPES = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
};

/**
 * Typed arrays over a packed array, without copying where alignment allows.
 * @param {Packed} packed
 * @returns {Decoded}
 */
export function decode(packed) {
  const type = ARRAY_TYPES[packed.dtype];
  if (!type) throw new Error(`The codec knows no dtype "${packed.dtype}"; known: ${Object.keys(ARRAY_TYPES)}.`);
  const count = packed.shape.reduce((product, n) => product * n, 1);
  const bytes = bytesOf(packed.buffer);
  const wanted = packed.maps * 8 + count * type.BYTES_PER_ELEMENT;
  if (bytes.length !== wanted) {
    throw new Error(`An array of shape [${packed.shape}] needs ${wanted} bytes, ${bytes.length} arrived.`);
  }
  const ranges = typedOver(Float32Array, bytes, 0, packed.maps * 2);
  return {
    values: typedOver(type, bytes, packed.maps * 8, count),
    shape: packed.shape,
    lo: ranges.filter((_, i) => i % 2 === 0),
    hi: ranges.filter((_, i) => i % 2 === 1),
    size: packed.maps ? count / packed.maps : count,
  };
}

/**
 * One value of one map, as it was before quantisation to within (hi - lo) / 510.
 * @param {Decoded} decoded
 * @param {number} map
 * @param {number} cell
 */
export function valueAt(decoded, map, cell) {
  const code = decoded.values[map * decoded.size + cell];
  return decoded.lo[map] + (code / 255) * (decoded.hi[map] - decoded.lo[map]);
}

/**
 * Cell with the largest value of a map.
 * @param {Decoded} decoded
 * @param {number} map
 */
export function peakOf(decoded, map) {
  const start = map * decoded.size;
  let best = 0;
  for (let i = 1; i < decoded.size; i++) {
    if (decoded.values[start + i] > decoded.values[start + best]) best = i;
  }
  return best;
}

/**
 * The bytes of whatever a kernel or a page hands over.
 * @param {DataView | ArrayBuffer | Uint8Array} buffer
 * @returns {Uint8Array}
 */
export function bytesOf(buffer) {
  if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

// A websocket frame may put our bytes at any offset, and typed arrays insist on theirs: copy only then.
function typedOver(type, bytes, offset, count) {
  const start = bytes.byteOffset + offset;
  if (start % type.BYTES_PER_ELEMENT === 0) return new type(bytes.buffer, start, count);
  return new type(bytes.slice(offset, offset + count * type.BYTES_PER_ELEMENT).buffer, 0, count);
}
