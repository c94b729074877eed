/**
 * The picture of one room: what its frames come to. No DOM, no clock.
 *
 * Laws: `rows` is what is shown, in order, and changes only here; each method says what it changed
 * (`Patch`), so that the view does the same. A chat is there once, by its `seq`. The first chat has
 * its day above it and names its author. Deleted words are nowhere.
 *
 * @typedef {{kind: "chat", seq: number, username: string, text: string, ts: number, id?: string,
 *   head: boolean, edited?: number, deleted: boolean, name?: string, guest: boolean, reply?: Quote,
 *   mentions: string[], reactions: import("./talk.js").Reactions}} ChatRow
 * @typedef {{seq: number, username: string, text: string, deleted?: boolean}} Quote what a chat answers
 * @typedef {{kind: "moderated", seq: number, action: string, by: string, ts: number,
 *   username?: string, until?: number, reason?: string, seconds?: number, on?: boolean,
 *   names: Record<string, string>}} ActRow what a moderator did; `names` are display names in it
 * @typedef {{kind: "gap", first: number, last: number}} GapRow
 * @typedef {{kind: "day", ts: number}} DayRow
 * @typedef {ChatRow | import("./moves.js").MovedRow | ActRow | GapRow | DayRow} Row
 *
 * `gone` rows leave, `top` ones come before all, `end` ones after all, `changed` ones look anew.
 * @typedef {{gone: Row[], top: Row[], end: Row[], changed: Row[]}} Patch
 *
 * Where one stands, to go on from there: events are `chat` and `moderated`
 * frames and gaps, as they are now.
 * @typedef {{epoch: string, seq: number, events: any[], own: number[]}} Position
 */

import { isNothing, move, stretch } from "./moves.js";
import { About, react } from "./talk.js";

/** Messages of one author within this time stand together. */
const TOGETHER = 5 * 60_000;
/** So many come and go in one row. */
const STRETCH = 200;
/** So many of one's own messages are remembered as one's own. */
const OWN = 1000;

/** @param {number} ts */
const dayOf = (ts) => new Date(ts).toDateString();

/** @returns {Patch} */
const nothing = () => ({ gone: [], top: [], end: [], changed: [] });

/**
 * Whether a chat names its author, standing after `before`.
 * @param {Row | undefined} before
 * @param {{username: string, ts: number, name?: string, guest?: boolean, reply?: Quote}} chat
 */
const heads = (before, chat) =>
  before?.kind !== "chat" || before.username !== chat.username || before.name !== chat.name ||
  before.guest !== Boolean(chat.guest) || chat.ts - before.ts > TOGETHER || chat.reply !== undefined;

/** @param {any} frame @param {Row | undefined} before @returns {ChatRow} */
function chatRow(frame, before) {
  const { seq, username, ts, id, edited, name, reply, mentions = [], reactions = {} } = frame;
  const deleted = Boolean(frame.deleted);
  const text = deleted ? "" : frame.text;
  const said = { seq, username, text, ts, id, edited, deleted, name, guest: Boolean(frame.guest) };
  return { kind: "chat", ...said, reply, mentions, reactions, head: heads(before, frame) };
}

export class Room {
  /** What `more` of the last `history` said; undefined: not asked. @type {boolean | undefined} */
  #more;
  /** @type {Map<number, ChatRow>} */
  #chats = new Map();

  /** @param {string} name @param {string} me @param {boolean} [user] whether one comes by a token */
  constructor(name, me, user = false) {
    this.name = name;
    this.me = me;
    this.user = user;
    this.seq = 0;
    this.epoch = "";
    /** @type {string[]} */
    this.users = [];
    this.count = 0;
    /** Display names by username. @type {Map<string, string>} */
    this.names = new Map();
    /** @type {string[]} */
    this.guests = [];
    /** Whether one keeps order here, and whether in every room. */
    this.mod = this.modAll = false;
    /** Whether one's token lets one speak here. */
    this.writes = true;
    /** One may not speak, until then (Unix ms) if that is there. @type {{until?: number, reason?: string} | null} */
    this.muted = null;
    /** Seconds between two messages of one person; 0: any. */
    this.slow = 0;
    this.readOnly = false;
    this.about = new About();
    /** @type {Row[]} */
    this.rows = [];
    /** The `seq`s of one's own messages: of what this session sent, whatever the name. @type {Set<number>} */
    this.own = new Set();
  }

  /** Before which `seq` there may be older messages. */
  get oldest() {
    return this.rows.find((row) => row.kind === "chat")?.seq ?? this.seq + 1;
  }

  /** Whether nothing is older than what is shown. */
  get begins() {
    return this.#more === false || this.oldest === 1;
  }

  /** @param {number} seq */
  chat(seq) {
    return this.#chats.get(seq);
  }

  /** One's own newest message that still has words. */
  get mine() {
    return this.rows.findLast?.((row) => this.#isMine(row)) ?? [...this.rows].reverse().find((row) => this.#isMine(row));
  }

  /** @param {Row} row @returns {row is ChatRow} */
  #isMine(row) {
    return row.kind === "chat" && !row.deleted && this.owns(row);
  }

  /** Whether names that a message mentions mean oneself, or all. @param {string[]} names */
  calls(names) {
    return names.includes(this.me) || names.includes("@room");
  }

  /**
   * Whether a message is one's own: a user's by the username, whatever it was written on.
   * @param {ChatRow} row
   */
  owns(row) {
    return this.own.has(row.seq) || (this.user && row.username === this.me && !row.guest);
  }

  /**
   * A welcome. What it gives replaces the rows if `fresh`, else it is added to them.
   * @param {any} frame
   * @returns {Patch & {fresh: boolean}}
   */
  welcome(frame) {
    this.name = frame.room;
    this.me = frame.username;
    this.#people(frame);
    this.stand(frame);
    const fresh = frame.history !== undefined;
    if (this.epoch !== "" && frame.epoch !== this.epoch) this.own.clear(); // other messages
    this.epoch = frame.epoch;
    if (fresh) return { ...this.#begin(frame.history, frame.seq), fresh };
    return { ...(frame.gap ? this.hear({ type: "gap", ...frame.gap }) : nothing()), fresh };
  }

  /** What one may do here, as a welcome tells it. @param {any} frame */
  stand(frame) {
    this.mod = Boolean(frame.mod);
    this.modAll = Boolean(frame.mod_all);
    this.writes = frame.writes ?? true;
    this.muted = frame.muted ?? null;
    this.slow = frame.slow ?? 0;
    this.readOnly = Boolean(frame.read_only);
    this.about.welcome(frame);
  }

  /**
   * Stand where one stood.
   * @param {Position} position
   */
  restore(position) {
    this.epoch = position.epoch;
    this.own = new Set(position.own);
    return this.#begin(position.events, position.seq);
  }

  /** @param {any[]} events @param {number} seq */
  #begin(events, seq) {
    this.rows = [];
    this.#chats.clear();
    this.#more = undefined;
    this.seq = 0;
    const patch = nothing();
    for (const event of events) patch.end.push(...this.hear(event).end);
    this.seq = seq;
    return patch;
  }

  /**
   * Where one stands, with at most `most` of the last events. What was before a gap is on the
   * server no more, nor is it said there what became of it, so it is not kept here either.
   * @param {number} most
   * @returns {Position}
   */
  position(most) {
    const kept = this.rows.filter((row) => ["chat", "gap", "moderated"].includes(row.kind)).slice(-most);
    const gap = kept.map((row) => row.kind).lastIndexOf("gap");
    const events = kept.slice(Math.max(0, gap)).map(({ kind, ...event }) => ({ type: kind, ...event }));
    return { epoch: this.epoch, seq: this.seq, events, own: [...this.own].slice(-OWN) };
  }

  /**
   * One frame of this room.
   * @param {any} frame
   * @returns {Patch}
   */
  hear(frame) {
    switch (frame.type) {
      case "chat":
        return this.#said(frame);
      case "edited":
      case "deleted":
        return this.#change(frame);
      case "reacted":
        return this.#reacted(frame);
      case "reactions":
        return this.#alter(frame.target, (row) => (row.reactions = frame.reactions));
      case "joined":
      case "left":
        return frame.username === this.me ? nothing() : this.#moved(frame);
      case "roster":
        this.#people(frame);
        return nothing();
      case "moderated":
        return this.#moderate(frame);
      case "gap":
        this.seq = Math.max(this.seq, frame.last);
        return this.#add({ kind: "gap", first: frame.first, last: frame.last });
      default:
        if (typeof frame.seq === "number") this.seq = Math.max(this.seq, frame.seq);
        return nothing();
    }
  }

  /** @param {any} frame `welcome` or `roster` */
  #people(frame) {
    this.users = frame.users;
    this.count = frame.count ?? frame.users.length;
    this.names = new Map(Object.entries(frame.names ?? {}));
    this.guests = frame.guests ?? [];
  }

  /** Why one may not speak here at `now` (Unix ms), or null. @param {number} now */
  silence(now) {
    if (!this.writes) return "forbidden";
    if (this.mod) return null;
    if (this.muted && !(this.muted.until && this.muted.until <= now)) return "muted";
    return this.readOnly ? "read_only" : null;
  }

  /**
   * A moderator did something. Whether it holds for oneself is told by a welcome: two people may
   * have had one name.
   * @param {any} frame
   */
  #moderate(frame) {
    if (frame.seq <= this.seq) return nothing();
    this.seq = frame.seq;
    const { type, room, names = {}, ...event } = frame; // `names`: as kept in a position
    for (const who of [frame.by, frame.username]) {
      const shown = this.names.get(who);
      if (shown !== undefined) names[who] = shown;
    }
    if (frame.action === "slow") this.slow = frame.seconds ?? 0;
    if (frame.action === "read_only") this.readOnly = Boolean(frame.on);
    const pinned = this.#chats.get(this.about.hear(frame) ?? 0);
    return { ...this.#add({ kind: "moderated", ...event, names }), changed: pinned ? [pinned] : [] };
  }

  /** @param {...Row} rows */
  #add(...rows) {
    this.rows.push(...rows);
    return { ...nothing(), end: rows };
  }

  /** Someone came or left; what happens while nobody speaks is one row. @param {any} frame @returns {Patch} */
  #moved(frame) {
    const { username, name = this.names.get(username) } = frame;
    const last = this.rows.at(-1);
    const row = last?.kind === "moved" && last.people.size < STRETCH ? last : stretch();
    move(row, { username, name }, frame.type === "joined");
    if (row !== last) return this.#add(row);
    if (!isNothing(row)) return { ...nothing(), changed: [row] };
    this.rows.pop();
    return { ...nothing(), gone: [row] };
  }

  /** @param {any} frame */
  #said(frame) {
    if (frame.seq <= this.seq) return nothing(); // had already: the answer to what we sent twice
    this.seq = frame.seq;
    const last = this.#lastDay();
    const day = /** @type {DayRow} */ ({ kind: "day", ts: frame.ts });
    const newDay = last === undefined || dayOf(last) !== dayOf(frame.ts);
    const row = chatRow(frame, newDay ? day : this.rows.at(-1));
    this.#chats.set(row.seq, row);
    return newDay ? this.#add(day, row) : this.#add(row);
  }

  /** When the last chat was, or undefined. */
  #lastDay() {
    for (let at = this.rows.length - 1; at >= 0; at--) {
      const row = this.rows[at];
      if (row.kind === "chat") return row.ts;
    }
    return undefined;
  }

  /**
   * A message has another text, or none. It may come late or twice, after newer words.
   * @param {any} frame
   */
  #change(frame) {
    this.seq = Math.max(this.seq, frame.seq);
    if (frame.type === "deleted" || frame.deleted) return this.#empty(frame.target);
    return this.#alter(frame.target, (row) => {
      if (row.edited !== undefined && frame.ts < row.edited) return false;
      Object.assign(row, { text: frame.text, edited: frame.ts, mentions: frame.mentions ?? [] });
      return true;
    });
  }

  /**
   * A message that is still there is another one after `change`, unless that gives false.
   * @param {number} seq @param {(row: ChatRow) => unknown} change
   */
  #alter(seq, change) {
    const row = this.#chats.get(seq);
    return row && !row.deleted && change(row) ? { ...nothing(), changed: [row] } : nothing();
  }

  /** A message's words go, from what quotes them, too. @param {number} seq */
  #empty(seq) {
    const patch = this.#alter(seq, (row) =>
      Object.assign(row, { deleted: true, text: "", edited: undefined, mentions: [], reactions: {} }));
    for (const row of this.#chats.values()) {
      if (row.reply?.seq !== seq || row.reply.deleted) continue;
      row.reply = { ...row.reply, text: "", deleted: true };
      patch.changed.push(row);
    }
    return patch;
  }

  /** @param {any} frame */
  #reacted(frame) {
    this.seq = Math.max(this.seq, frame.seq);
    return this.#alter(frame.target, (row) => {
      const reactions = react(row.reactions, frame);
      if (reactions) row.reactions = reactions;
      return reactions;
    });
  }

  /**
   * The server does not have this message any more.
   * @param {number} seq
   */
  lose(seq) {
    return this.#change({ type: "deleted", seq: 0, target: seq });
  }

  /**
   * Older chats, the answer to `history` before `oldest`.
   * @param {{events: any[], more: boolean}} frame
   */
  older(frame) {
    const patch = nothing();
    this.#more = frame.more;
    /** @type {string | undefined} */
    let day;
    for (const event of frame.events) {
      if (this.#chats.has(event.seq)) continue;
      if (dayOf(event.ts) !== day) patch.top.push({ kind: "day", ts: event.ts });
      day = dayOf(event.ts);
      const row = chatRow(event, patch.top.at(-1));
      this.#chats.set(row.seq, row);
      patch.top.push(row);
    }
    if (!patch.top.length) return patch;
    // The seam: a day that began above begins no more below, nor does a run of one author.
    const at = this.rows.findIndex((row) => row.kind === "day");
    const seam = this.rows[at];
    if (seam?.kind === "day" && dayOf(seam.ts) === day) patch.gone.push(...this.rows.splice(at, 1));
    const next = this.rows[0];
    if (next?.kind === "chat" && next.head !== heads(patch.top.at(-1), next)) {
      next.head = !next.head;
      patch.changed.push(next);
    }
    this.rows.unshift(...patch.top);
    return patch;
  }

  /**
   * Let go of the oldest rows until less than `most` are left, and the day of the first; `older`
   * brings them again.
   * @param {number} most
   */
  trim(most) {
    const patch = nothing();
    if (this.rows.length <= most) return patch;
    this.#more = undefined;
    patch.gone = this.rows.splice(0, this.rows.length - most + 1);
    for (const row of patch.gone) if (row.kind === "chat") this.#chats.delete(row.seq);
    const first = this.rows.find((row) => row.kind === "chat" || row.kind === "day");
    if (first?.kind === "chat") {
      patch.top.push({ kind: "day", ts: first.ts });
      this.rows.unshift(...patch.top);
      if (!first.head) patch.changed.push(first);
      first.head = true;
    }
    return patch;
  }
}
