/**
 * The picture of one room: what its frames come to. No DOM, no clock.
 *
 * @typedef {{kind: "chat", seq: number, username: string, text: string, ts: number, id?: string, head: boolean}} ChatRow
 * @typedef {{kind: "joined" | "left", username: string}} NoticeRow
 * @typedef {{kind: "gap", first: number, last: number}} GapRow
 * @typedef {{kind: "day", ts: number}} DayRow
 * @typedef {ChatRow | NoticeRow | GapRow | DayRow} Row
 */

/** Messages of one author within this time stand together. */
const TOGETHER = 5 * 60_000;

/** @param {number} ts */
const dayOf = (ts) => new Date(ts).toDateString();

export class Room {
  /** @param {string} name @param {string} me */
  constructor(name, me) {
    this.name = name;
    this.me = me;
    this.seq = 0;
    this.epoch = "";
    /** @type {string[]} */
    this.users = [];
    this.count = 0;
    /** @type {ChatRow | null} the last chat, if nothing stands between it and what comes next */
    this.last = null;
    this.day = "";
  }

  /**
   * A welcome. What it gives replaces the rows if `fresh`, else it is added to them.
   * @param {any} frame
   * @returns {{fresh: boolean, rows: Row[]}}
   */
  welcome(frame) {
    this.name = frame.room;
    this.me = frame.username;
    this.users = frame.users;
    this.count = frame.count ?? frame.users.length;
    const fresh = frame.history !== undefined;
    /** @type {Row[]} */
    const rows = [];
    if (fresh) {
      this.last = null;
      this.day = "";
      this.seq = 0;
      for (const event of frame.history) rows.push(...this.hear(event));
      this.seq = frame.seq;
    } else if (frame.gap) rows.push(...this.hear({ type: "gap", ...frame.gap }));
    this.epoch = frame.epoch;
    return { fresh, rows };
  }

  /**
   * One frame of this room.
   * @param {any} frame
   * @returns {Row[]} what is to be added at the end
   */
  hear(frame) {
    switch (frame.type) {
      case "chat":
        return this.#chat(frame);
      case "joined":
      case "left":
        if (frame.username === this.me) return [];
        this.last = null;
        return [{ kind: frame.type, username: frame.username }];
      case "roster":
        this.users = frame.users;
        this.count = frame.count ?? frame.users.length;
        return [];
      case "gap":
        this.last = null;
        this.seq = Math.max(this.seq, frame.last);
        return [{ kind: "gap", first: frame.first, last: frame.last }];
      default:
        return [];
    }
  }

  /** @param {any} frame @returns {Row[]} */
  #chat(frame) {
    if (frame.seq <= this.seq) return []; // had already: the answer to what we sent twice
    this.seq = frame.seq;
    /** @type {Row[]} */
    const rows = [];
    const day = dayOf(frame.ts);
    if (day !== this.day) {
      this.day = day;
      this.last = null;
      rows.push({ kind: "day", ts: frame.ts });
    }
    const before = this.last;
    const head =
      !before || before.username !== frame.username || frame.ts - before.ts > TOGETHER;
    const { seq, username, text, ts, id } = frame;
    this.last = { kind: "chat", seq, username, text, ts, id, head };
    rows.push(this.last);
    return rows;
  }
}
