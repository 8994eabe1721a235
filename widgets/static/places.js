// Where a patch is: between sequence positions (the selection's keys), cells of the maps, and rows and columns.
import { decode } from "./codec.js";

export class Places {
  /**
   * @param {import("./picture.js").GridState[]} grids
   * @param {import("./codec.js").Packed} positions  sequence position of every cell
   */
  constructor(grids, positions) {
    this.grids = grids;
    this.positions = decode(positions).values;
    this.cells = new Map(Array.from(this.positions, (position, cell) => [position, cell]));
  }

  /** Cells of some sequence positions; positions that are no patch are left out. @param {number[]} positions */
  cellsOf(positions) {
    return positions.map((position) => this.cells.get(position)).filter((cell) => cell !== undefined);
  }

  /** Grid, row and column of a cell. @param {number} cell */
  locate(cell) {
    const grid = this.grids.find(({ start, rows, cols }) => cell >= start && cell < start + rows * cols);
    const index = cell - grid.start;
    return { grid, row: Math.floor(index / grid.cols), col: index % grid.cols };
  }

  /** "row 5, column 9", with the picture where there are several. @param {number} cell */
  name(cell) {
    const { grid, row, col } = this.locate(cell);
    return `${this.grids.length > 1 ? `${grid.label}, ` : ""}row ${row}, column ${col}`;
  }
}

/** All marked patches: the pinned one first. @param {import("./selection.js").Selected} state @returns {number[]} */
export function markedPatches({ patch, brush }) {
  return patch === null ? brush : [patch, ...brush];
}

/**
 * What pinning a patch changes: alone it replaces what was marked (or clears it), with Shift it joins or leaves.
 * @param {import("./selection.js").Selected} state
 * @param {number} position
 * @param {boolean} more  Shift was held
 */
function afterPin({ patch, brush }, position, more) {
  if (!more) return { patch: patch === position ? null : position, brush: [] };
  if (patch === null) return { patch: position };
  if (patch === position) return { patch: brush[0] ?? null, brush: brush.slice(1) };
  return { brush: brush.includes(position) ? brush.filter((other) => other !== position) : [...brush, position] };
}

/**
 * What pointing at patches does to the selection, as `pictureFigure` wants it.
 * @param {Places} places
 * @param {() => {state: import("./selection.js").Selected, select: (fields: any) => void}} selection
 * @param {(cell: number) => string} describe  a patch in words
 */
export function patchEvents(places, selection, describe) {
  return {
    pin: (cell, more) => selection().select(afterPin(selection().state, places.positions[cell], more)),
    hover: (cell) => selection().select({ hovered: cell === null ? null : { patch: places.positions[cell] } }),
    describe,
  };
}
