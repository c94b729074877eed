/**
 * What one session has in one room that outlives the page: letters that are not in the log yet, and
 * where it stands. The session's secret is its key, so it is the same desk after a reload, for a
 * duplicated tab, and for who takes it over.
 */

import { keep } from "./database.js";
import { lockOf } from "./lock.js";

/** @typedef {import("../model/outbox.js").Letter} Letter */
/** @typedef {import("../model/room.js").Position} Position */

/** A position that nobody came back to for so long is forgotten, in ms. Letters stay. */
const FORGET = 7 * 24 * 3600_000;

/** Tells the tab that sends of letters that another one has written. */
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("hubbub letters");

export class Desk {
  /** @type {Promise<import("./lock.js").Lock>} */
  #lock;
  /** @type {import("./lock.js").Lock | null} */
  #known = null;
  /** @type {(() => Position) | null} */
  #due = null;
  #writing = false;
  #over = false;
  /** @type {(() => void) | null} */
  #news = null;

  /** @param {string} room @param {string} session @param {string} name */
  constructor(room, session, name) {
    this.room = room;
    this.session = session;
    this.name = name;
    this.key = JSON.stringify([room, session]);
    this.#lock = lockOf(this.key);
    this.#lock.then((lock) => (this.#known = lock));
    channel?.addEventListener("message", this.#hear);
  }

  #hear = (/** @type {MessageEvent} */ event) => {
    if (event.data === this.key && this.held) this.#news?.();
  };

  /** Whether this tab is the one that sends. */
  get held() {
    return this.#known?.held ?? false;
  }

  /** Become the one that sends, if nobody is. */
  async attempt() {
    return (await this.#lock).attempt();
  }

  /**
   * Become the one that sends as soon as nobody else is. `news`: now, and when letters came that
   * others wrote; they are to be read again.
   * @param {() => void} news
   */
  async hold(news) {
    this.#news = news;
    const lock = await this.#lock;
    if (this.#over) return;
    if (lock.held) news();
    else lock.wait(news);
  }

  /** Others may send now. */
  async release() {
    this.#over = true;
    channel?.removeEventListener("message", this.#hear);
    await (await this.#lock).release();
  }

  /** The letters, in the order of writing. @returns {Promise<Letter[]>} */
  letters() {
    return keep("letters", "readonly", (letters) => letters.index("desk").getAll(this.key), []);
  }

  /**
   * Keep a letter, or how it is now. Resolves when it is safe, or cannot be made so: to whether it is.
   * @param {Letter} letter
   */
  async put(letter) {
    const { room, session, name } = this;
    const state = letter.state === "failed" ? "failed" : "waiting";
    const record = { ...letter, state, desk: this.key, room, session, name };
    const kept = await keep("letters", "readwrite", (letters) => {
      const request = letters.index("id").getKey(letter.id);
      request.onsuccess = () => letters.put(record, request.result);
      return { result: true };
    }, false);
    if (!this.held) channel?.postMessage(this.key);
    return kept;
  }

  /** @param {string} id */
  drop(id) {
    return keep("letters", "readwrite", (letters) => {
      const request = letters.index("id").getKey(id);
      request.onsuccess = () => request.result !== undefined && letters.delete(request.result);
    }, undefined);
  }

  /** @returns {Promise<Position | null>} */
  async position() {
    const found = await keep("desks", "readonly", (desks) => desks.get(this.key), /** @type {any} */ (null));
    return found?.position ?? null;
  }

  /**
   * Keep where the room stands now. Many in a row become one: the last.
   * @param {() => Position} position
   */
  async stand(position) {
    this.#due = position;
    if (this.#writing || this.#over) return;
    this.#writing = true;
    while (this.#due && !this.#over) {
      const record = { key: this.key, at: Date.now(), position: this.#due() };
      this.#due = null;
      await keep("desks", "readwrite", (desks) => desks.put(record), undefined);
    }
    this.#writing = false;
  }

  /** Forget where one stands, and all words with it. Letters stay. */
  forget() {
    this.#over = true;
    return keep("desks", "readwrite", (desks) => desks.delete(this.key), undefined);
  }
}

/**
 * The desk to go on at: one's own, if it has letters; else one of the same name in this room that
 * has letters and no living tab, which is then this tab's; else one's own, or none.
 * @param {string} room @param {string} session one's own, or "" @param {string} name
 * @param {(session: string) => boolean} adopts whose it may be
 * @returns {Promise<Desk | null>}
 */
export async function deskFor(room, session, name, adopts) {
  /** @type {{room: string, session: string, name: string}[]} */
  const letters = await keep("letters", "readonly", (all) => all.getAll(), []);
  const here = letters.filter((letter) => letter.room === room);
  if (!here.some((letter) => letter.session === session)) {
    const others = here.filter((one) => one.name === name && adopts(one.session));
    for (const lost of new Set(others.map((one) => one.session))) {
      const desk = new Desk(room, lost, name);
      if (await desk.attempt()) return desk;
      desk.release();
    }
  }
  return session ? new Desk(room, session, name) : null;
}

/**
 * What was left unsent, by room and name: letters that no living tab is about to send.
 * @param {(session: string) => boolean} fits whose letters count
 * @returns {Promise<{room: string, name: string, count: number}[]>}
 */
export async function leftBehind(fits) {
  /** @type {{room: string, session: string, name: string}[]} */
  const letters = await keep("letters", "readonly", (all) => all.getAll(), []);
  /** @type {Map<string, {room: string, name: string, session: string, count: number}>} */
  const found = new Map();
  for (const { room, session, name } of letters) {
    if (!fits(session)) continue;
    const key = JSON.stringify([room, session]);
    const one = found.get(key) ?? { room, name, session, count: 0 };
    found.set(key, { ...one, count: one.count + 1 });
  }
  const left = [];
  for (const one of found.values()) {
    const desk = new Desk(one.room, one.session, one.name);
    if (await desk.attempt()) left.push(one);
    await desk.release();
  }
  return left;
}

/** Forget the positions of sessions that will not come back. */
export function tidy() {
  return keep("desks", "readwrite", (desks) => {
    const request = desks.openCursor();
    request.onsuccess = () => {
      const at = request.result;
      if (!at) return;
      if (at.value.at < Date.now() - FORGET) at.delete();
      at.continue();
    };
  }, undefined);
}
