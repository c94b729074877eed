/** What people do with messages beside writing them: reactions, topics, pins, being about to write. */

/** @typedef {Record<string, {count: number, users: string[], seq?: number}>} Reactions by emoji */

/**
 * How an emoji stands on a message after someone put it there or took it away. An event says the
 * whole of it, so the newest holds, in whatever order they come.
 * @param {Reactions} reactions
 * @param {{emoji: string, seq: number, count: number, users: string[]}} event
 * @returns {Reactions | null} as they are now, or null: that is old news
 */
export function react(reactions, { emoji, seq, count, users }) {
  if ((reactions[emoji]?.seq ?? 0) >= seq) return null;
  return { ...reactions, [emoji]: { count, users, seq } };
}

/** What a room is about, and what is pinned in it. */
export class About {
  topic = "";
  description = "";
  /** The `seq`s of pinned messages, ascending. @type {number[]} */
  pins = [];

  /** @param {any} frame a `welcome` */
  welcome(frame) {
    this.topic = frame.topic ?? "";
    this.description = frame.description ?? "";
    this.pins = frame.pins ?? [];
  }

  /** @param {any} act a `moderated` @returns {number | undefined} the message that is pinned or not now */
  hear(act) {
    if (act.action === "topic") {
      this.topic = act.topic ?? "";
      this.description = act.description ?? "";
    }
    if (act.action !== "pin") return undefined;
    const others = this.pins.filter((seq) => seq !== act.target);
    this.pins = act.on ? [...others, act.target].sort((a, b) => a - b) : others;
    return act.target;
  }
}

/** How long someone counts as writing after the last sign of it, in ms: two signs' time. */
export const WRITES = 6500;

/** Who is writing. The caller has the clock. */
export class Writers {
  /** @type {Map<string, number>} until when, by name */
  #until = new Map();

  /** @param {any} frame any of the room's @param {number} now @returns {boolean} whether it is another picture */
  hear(frame, now) {
    if (frame.type === "typing") {
      const fresh = !this.#until.has(frame.username);
      this.#until.set(frame.username, now + WRITES);
      return fresh;
    }
    return (frame.type === "chat" || frame.type === "left") && this.#until.delete(frame.username);
  }

  /** Those who write at `now`, the first first. @param {number} now */
  at(now) {
    for (const [name, until] of this.#until) if (until <= now) this.#until.delete(name);
    return [...this.#until.keys()];
  }

  clear() {
    this.#until.clear();
  }
}
