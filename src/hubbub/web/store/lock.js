/**
 * Who drains a queue: one tab of all that share it. Ids make a resend harmless, so what this keeps
 * is order, and peace.
 *
 * Laws: a holder that is gone (closed, crashed) holds nothing, at once or after `LEASE`; `held`
 * may be asked at any time, and costs nothing.
 */

import { database, keep } from "./database.js";

/** How long a lease holds unless it is renewed, how often it is, and is asked for, in ms. */
const LEASE = 5000;
const RENEW = 1500;
const ASK = 500;

/** @typedef {{held: boolean, attempt: () => Promise<boolean>, wait: (then: () => void) => void,
 *   release: () => unknown}} Lock `release` may be awaited: then others can have it */

/**
 * @param {string} name
 * @returns {Promise<Lock>}
 */
export async function lockOf(name) {
  if (!(await database())) return new Free();
  // Only secure contexts have `locks`; plain http has not.
  return navigator.locks ? new BrowsersLock(name) : new Lease(name);
}

/** Where nothing is kept nothing is shared. */
class Free {
  held = true;

  async attempt() {
    return true;
  }

  /** @param {() => void} then */
  wait(then) {
    then();
  }

  release() {
    this.held = false;
  }
}

class BrowsersLock {
  held = false;
  #end = new AbortController();
  #free = () => {};
  /** @type {Promise<unknown>} */
  #over = Promise.resolve();

  /** @param {string} name */
  constructor(name) {
    this.name = `hubbub ${name}`;
  }

  /** @param {LockOptions} options @returns {Promise<boolean>} */
  #request(options) {
    return new Promise((resolve) => {
      const hold = (/** @type {any} */ lock) => {
        this.held = lock !== null && !this.#end.signal.aborted;
        resolve(this.held);
        return this.held ? new Promise((free) => (this.#free = () => free(undefined))) : undefined;
      };
      this.#over = navigator.locks.request(this.name, options, hold).catch(() => resolve(false));
    });
  }

  attempt() {
    return this.#request({ ifAvailable: true });
  }

  /** @param {() => void} then */
  wait(then) {
    this.#request({ signal: this.#end.signal }).then((held) => held && then());
  }

  release() {
    this.held = false;
    this.#end.abort();
    this.#free();
    return this.#over;
  }
}

/** @param {string} owner @param {boolean} gone */
function mark(owner, gone) {
  try {
    if (gone) localStorage.setItem(`hubbub.gone ${owner}`, "");
    else localStorage.removeItem(`hubbub.gone ${owner}`);
  } catch {
    /* then it ends by itself */
  }
}

/** @param {{owner: string, until: number}} lease @param {number} now */
function isOver(lease, now) {
  let gone = lease.until <= now || lease.until > now + LEASE; // or the clock was set back
  try {
    gone ||= localStorage.getItem(`hubbub.gone ${lease.owner}`) !== null;
  } catch {
    /* as above */
  }
  if (gone) mark(lease.owner, false);
  return gone;
}

/** A record in the database that says until when this tab has the queue. */
class Lease {
  #owner = crypto.getRandomValues(new Uint32Array(4)).join("-");
  #until = 0;
  #timer = 0;
  #over = false;

  /** @param {string} name */
  constructor(name) {
    this.name = name;
    // The database does not answer a page that goes; a mark in the other storage is made at once.
    addEventListener("pagehide", () => {
      this.#until = 0;
      mark(this.#owner, true);
    });
  }

  /** A tab in the background may be let run too seldom to renew in time: then it is not held. */
  get held() {
    return Date.now() < this.#until;
  }

  async attempt() {
    const now = Date.now();
    let mine = false;
    await keep("leases", "readwrite", (leases) => {
      const request = leases.get(this.name);
      request.onsuccess = () => {
        const lease = request.result;
        mine = !this.#over && (!lease || lease.owner === this.#owner || isOver(lease, now));
        if (mine) leases.put({ name: this.name, owner: this.#owner, until: now + LEASE });
      };
    }, undefined);
    if (mine) mark(this.#owner, false);
    this.#until = mine && !this.#over ? now + LEASE : 0;
    if (mine && this.#over) this.#give();
    else if (mine && !this.#timer) this.#timer = window.setInterval(() => this.attempt(), RENEW);
    return this.held;
  }

  /** @param {() => void} then */
  async wait(then) {
    if (this.#over) return;
    if (await this.attempt()) then();
    else window.setTimeout(() => this.wait(then), ASK);
  }

  #give() {
    this.#until = 0;
    return keep("leases", "readwrite", (leases) => {
      const request = leases.get(this.name);
      request.onsuccess = () => request.result?.owner === this.#owner && leases.delete(this.name);
    }, undefined);
  }

  release() {
    this.#over = true;
    clearInterval(this.#timer);
    return this.#give();
  }
}
