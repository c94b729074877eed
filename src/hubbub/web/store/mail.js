/**
 * Letters on their way: shown at once, kept, then sent, and let go of when they are in the log.
 */

import { newId } from "../model/link.js";
import { Outbox } from "../model/outbox.js";

/** @typedef {import("../model/outbox.js").Letter} Letter */
/** @typedef {import("./desk.js").Desk} Desk */

export class Mail {
  #outbox = new Outbox();
  /** @type {Desk | null} */
  #desk = null;
  /** Of the log that the room has now; empty while one is not in the room. */
  #epoch = "";

  /**
   * @param {(letter: Letter) => void} send
   * @param {() => void} changed what waits is not what it was
   * @param {string} gone why a change to a message of another log cannot be
   */
  constructor(send, changed, gone) {
    this.send = send;
    this.changed = changed;
    this.gone = gone;
  }

  get letters() {
    return this.#outbox.letters;
  }

  get desk() {
    return this.#desk;
  }

  /** Whether closing the tab now would lose words. */
  get isAtRisk() {
    return this.letters.some((letter) => letter.frail || !letter.safe);
  }

  /**
   * Letters are kept at this desk from now on, and those that it has are ours. Resolves when they
   * have been read.
   * @param {Desk} desk
   */
  async sit(desk) {
    this.#desk?.release();
    this.#desk = desk;
    for (const letter of this.letters) this.#keep(letter);
    desk.hold(() => this.#read());
    await this.#read();
  }

  async #read() {
    const desk = this.#desk;
    const kept = (await desk?.letters()) ?? [];
    if (desk !== this.#desk) return;
    this.#outbox.merge(kept);
    this.flush();
  }

  /** @param {Omit<Letter, "state" | "id">} what */
  write(what) {
    const id = newId((bytes) => crypto.getRandomValues(bytes));
    const letter = this.#outbox.add({ ...what, id });
    this.changed();
    return this.#keep(letter);
  }

  /** @param {Letter} letter */
  async #keep(letter) {
    if (!this.#desk) return; // comes with the first welcome
    letter.frail = !(await this.#desk.put(letter));
    letter.safe = true;
    this.flush();
  }

  /**
   * The room has us, and its log is this one.
   * @param {string} epoch
   */
  begin(epoch) {
    this.#epoch = epoch;
    this.#read();
  }

  /** The connection is gone. */
  lost() {
    this.#epoch = "";
    this.#outbox.lost();
  }

  /** Send what may be sent. */
  flush() {
    while (this.#epoch && this.#desk?.held) {
      const letter = this.#outbox.next(Date.now());
      if (!letter) break;
      // The number means another message there: better not done than done to the wrong one.
      if ((letter.kind !== "chat" || letter.reply) && letter.epoch !== this.#epoch) {
        this.#outbox.fail(letter, "not_found", this.gone);
        this.#desk.put(letter);
      } else this.send(letter);
    }
    this.changed();
  }

  /**
   * A frame of the log; gives the letter that it answers.
   * @param {any} frame
   */
  arrived(frame) {
    const letter = this.#outbox.arrived(frame);
    if (!letter) return undefined;
    this.#desk?.drop(letter.id);
    this.flush();
    return letter;
  }

  /**
   * The server refused something; gives the letter that it was. If waiting helps, it waits.
   * @param {any} error
   */
  refused(error) {
    const letter = this.#outbox.refused(error, Date.now());
    if (!letter) return undefined;
    if (letter.state === "failed") this.#desk?.put(letter);
    else window.setTimeout(() => this.flush(), error.retry_after * 1000 + 20);
    this.flush();
    return letter;
  }

  /** @param {string} id */
  again(id) {
    const letter = this.#outbox.again(id);
    if (letter) this.#desk?.put(letter);
    this.flush();
  }

  /** @param {string} id */
  discard(id) {
    this.#outbox.drop(id);
    this.#desk?.drop(id);
    this.flush();
  }

  /** Another tab, or a later visit, may send what is left, once this resolves. */
  async close() {
    const desk = this.#desk;
    this.#epoch = "";
    this.#desk = null;
    this.#outbox = new Outbox();
    this.changed();
    await desk?.release();
  }
}
