/**
 * Which rows of a long log are in the page: those from `from` up to `to`, and so much empty space
 * for the others, `above` and `below`, as they have or may have. No DOM.
 *
 * Laws: a row takes the same space whenever it is out of the page, until it is measured again; where
 * no row is out on one side, there is no space on that side.
 *
 * @typedef {import("./room.js").Row} Row
 */

/** What a row that was never in the page may take, in pixels. */
const GUESS = { chat: 48, day: 46, gap: 40, moved: 30, moderated: 30 };

export class Span {
  from = 0;
  to = 0;
  above = 0;
  below = 0;
  /** How many rows there were when it was looked at last. */
  count = 0;
  /** @type {WeakMap<Row, number>} */
  #heights = new WeakMap();

  /** @param {Row} row */
  height(row) {
    return this.#heights.get(row) ?? GUESS[row.kind];
  }

  /** @param {Row} row @param {number} height */
  measured(row, height) {
    this.#heights.set(row, height);
  }

  /** The rows are others. These are in the page. @param {Row[]} rows @param {number} from @param {number} to */
  set(rows, from, to) {
    Object.assign(this, { from: 0, to: rows.length, count: rows.length, above: 0, below: 0 });
    this.move(rows, from, to);
  }

  /** Of the same rows others are in the page. @param {Row[]} rows @param {number} from @param {number} to */
  move(rows, from, to) {
    this.above += this.#space(rows, this.from, from);
    this.below += this.#space(rows, to, this.to);
    Object.assign(this, { from, to });
    if (!from) this.above = 0; // what was added and taken away in parts of pixels
    if (to === rows.length) this.below = 0;
  }

  /** What rows take; less than nothing if `upto` comes first. @param {Row[]} rows @param {number} since @param {number} upto */
  #space(rows, since, upto) {
    let space = 0;
    for (let at = Math.min(since, upto); at < Math.max(since, upto); at++) space += this.height(rows[at]);
    return upto < since ? -space : space;
  }

  /**
   * How many more rows it takes on one side to fill so many pixels, at most `most`.
   * @param {Row[]} rows @param {-1 | 1} way up or down @param {number} pixels @param {number} most
   */
  needs(rows, way, pixels, most) {
    let at = way < 0 ? this.from - 1 : this.to;
    let count = 0;
    for (; count < most && pixels > 0 && at >= 0 && at < rows.length; at += way, count++) pixels -= this.height(rows[at]);
    return count;
  }

  /** The row that is so many pixels from the top of all. @param {Row[]} rows @param {number} pixels */
  at(rows, pixels) {
    let at = 0;
    while (at < rows.length - 1 && (pixels -= this.height(rows[at])) >= 0) at++;
    return at;
  }
}
