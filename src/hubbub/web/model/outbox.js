/**
 * What was said and is not in the log yet, in order. One is under way at a time, so that what
 * the server refuses for its pace does not overtake or get overtaken.
 *
 * @typedef {{id: string, text: string, state: "waiting" | "sent" | "failed", why?: string}} Letter
 */
export class Outbox {
  constructor() {
    /** @type {Letter[]} */
    this.letters = [];
    /** Not before this time, because the server asked for patience. */
    this.after = 0;
  }

  /** @param {string} id @param {string} text */
  add(id, text) {
    this.letters.push({ id, text, state: "waiting" });
  }

  /**
   * The next letter to send now, marked as sent; null if one is under way or none may go.
   * @param {number} now
   * @returns {Letter | null}
   */
  next(now) {
    if (now < this.after) return null;
    const open = this.letters.filter((letter) => letter.state !== "failed");
    if (!open.length || open[0].state === "sent") return null;
    open[0].state = "sent";
    return open[0];
  }

  /** The connection is gone: what was under way may or may not have arrived; its id makes it safe. */
  lost() {
    for (const letter of this.letters) if (letter.state === "sent") letter.state = "waiting";
  }

  /**
   * A chat with this id is in the log.
   * @param {string | undefined} id
   * @returns {boolean} whether it was ours to wait for
   */
  arrived(id) {
    const before = this.letters.length;
    if (id !== undefined) this.letters = this.letters.filter((letter) => letter.id !== id);
    return this.letters.length < before;
  }

  /**
   * The server refused a letter.
   * @param {{id?: string, code: string, message: string, retry_after?: number}} error
   * @param {number} now
   * @returns {boolean} whether it was one of ours
   */
  refused(error, now) {
    const letter = this.letters.find((one) => one.id === error.id);
    if (!letter || error.id === undefined) return false;
    if (error.retry_after !== undefined) {
      letter.state = "waiting";
      this.after = now + error.retry_after * 1000;
    } else {
      letter.state = "failed";
      letter.why = error.message;
    }
    return true;
  }

  /** @param {string} id */
  again(id) {
    for (const letter of this.letters) if (letter.id === id) letter.state = "waiting";
  }

  /** @param {string} id */
  drop(id) {
    this.letters = this.letters.filter((letter) => letter.id !== id);
  }
}
