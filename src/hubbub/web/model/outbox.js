/**
 * What was written and is not in the log yet, in order. One is under way at a time, so that what
 * the server refuses for its pace does not overtake or get overtaken. A letter keeps its `id` until
 * the frame with that id came back: however often it is sent, it happens once.
 *
 * `kind` is what it does: say something (in answer to `reply`), or change or delete the message `seq`;
 * both are messages of the log `epoch`.
 * `safe`: it is kept where a reload finds it, or cannot be (`frail`); before that it is not sent.
 *
 * @typedef {{id: string, kind: "chat" | "edit" | "delete", text: string, seq?: number,
 *   epoch?: string, state: "waiting" | "sent" | "failed", code?: string, why?: string, until?: number,
 *   reason?: string, safe?: boolean, frail?: boolean, reply?: import("./room.js").Quote}} Letter
 */

/** What answers each kind. */
const ANSWERS = { chat: "chat", edit: "edited", delete: "deleted" };

/** What a letter is on the wire. @param {Letter} letter @param {string | undefined} room */
export function frameOf({ kind, seq, text, id, reply }, room) {
  const said = reply ? { text, reply_to: reply.seq } : { text };
  const what = kind === "chat" ? said : kind === "edit" ? { seq, text } : { seq };
  return { type: kind, room, ...what, id };
}

export class Outbox {
  constructor() {
    /** @type {Letter[]} */
    this.letters = [];
    /** Not before this time, because the server asked for patience. */
    this.after = 0;
    /** Ids that are settled: what is read from an older copy does not bring them back. @type {Set<string>} */
    this.settled = new Set();
  }

  /** @param {Omit<Letter, "state">} letter @returns {Letter} */
  add(letter) {
    /** @type {Letter} */
    const added = { ...letter, state: "waiting" };
    this.letters.push(added);
    return added;
  }

  /**
   * What was kept, in order; what is here and not there yet stands behind it.
   * @param {Letter[]} kept
   */
  merge(kept) {
    const here = new Map(this.letters.map((letter) => [letter.id, letter]));
    const merged = kept
      .filter((letter) => !this.settled.has(letter.id))
      .map((letter) => here.get(letter.id) ?? { ...letter, safe: true });
    const known = new Set(kept.map((letter) => letter.id));
    this.letters = [...merged, ...this.letters.filter((letter) => !known.has(letter.id))];
  }

  /**
   * The next letter to send now, marked as sent; null if one is under way or none may go.
   * @param {number} now
   * @returns {Letter | null}
   */
  next(now) {
    if (now < this.after) return null;
    const open = this.letters.filter((letter) => letter.state !== "failed");
    if (!open.length || open[0].state === "sent" || !open[0].safe) return null;
    open[0].state = "sent";
    return open[0];
  }

  /** The connection is gone: what was under way may or may not have arrived; its id makes it safe. */
  lost() {
    for (const letter of this.letters) if (letter.state === "sent") letter.state = "waiting";
  }

  /**
   * A frame of the log: is it what became of a letter?
   * @param {{type: string, id?: string}} frame
   * @returns {Letter | undefined} the letter, which is in the log now
   */
  arrived(frame) {
    const letter = this.letters.find((one) => one.id === frame.id && ANSWERS[one.kind] === frame.type);
    if (letter) this.drop(letter.id);
    return letter;
  }

  /**
   * The server refused a letter.
   * @param {{id?: string, code: string, message: string, retry_after?: number, until?: number, reason?: string}} error
   * @param {number} now
   * @returns {Letter | undefined} the letter, if it was one of ours
   */
  refused(error, now) {
    const letter = this.letters.find((one) => one.id === error.id);
    if (!letter || error.id === undefined) return undefined;
    if (error.retry_after !== undefined) {
      letter.state = "waiting";
      this.after = now + error.retry_after * 1000;
    } else {
      this.fail(letter, error.code, error.message);
      letter.until = error.until;
      letter.reason = error.reason;
    }
    return letter;
  }

  /** @param {Letter} letter @param {string} code @param {string} why */
  fail(letter, code, why) {
    letter.state = "failed";
    letter.code = code;
    letter.why = why;
  }

  /** @param {string} id @returns {Letter | undefined} */
  again(id) {
    const letter = this.letters.find((one) => one.id === id);
    if (!letter) return undefined;
    if (letter.code === "not_found") delete letter.reply; // what it answered is gone
    letter.state = "waiting";
    return letter;
  }

  /** @param {string} id */
  drop(id) {
    this.settled.add(id);
    this.letters = this.letters.filter((letter) => letter.id !== id);
  }
}
