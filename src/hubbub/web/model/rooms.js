/**
 * The rooms that one knows, and what is new in them. No DOM, no clock.
 *
 * Laws: what has been seen of a room only grows, but where the log is another one; what is new is
 * never less than one where something is; the room that one is looking at has nothing new.
 *
 * `head` is the newest message that one has heard of.
 *
 * `off` is when one took it off the list, and `visited` when one was there last: it is off while the
 * first is later. It is known on, since the server, or another tab, tells of it again.
 *
 * @typedef {{name: string, seen: number, head: number, unread: number, mentions: number, visited: number,
 *   off?: number}} Kept
 * @typedef {Kept & {topic: string, count: number}} Entry
 */

/** So many rooms are kept, the last visited ones; the server lets one follow as many. */
const MOST = 100;

/** @param {string} name @returns {Entry} */
const blank = (name) => ({ name, seen: 0, unread: 0, mentions: 0, visited: 0, head: 0, topic: "", count: 0 });

/** @param {Entry | undefined} one @returns {one is undefined} */
const isOff = (one) => !one || (one.off ?? 0) > one.visited;

export class Rooms {
  /** @type {Map<string, Entry>} */
  #known = new Map();
  /** Rooms that others are in, and one never was. @type {Entry[]} */
  others = [];
  /** The room that one is in; empty: none. */
  here = "";

  /** @param {Kept[]} [kept] what `kept` gave earlier */
  constructor(kept = []) {
    for (const entry of kept) this.#known.set(entry.name, { ...blank(entry.name), ...entry });
  }

  /** What is to be kept: the rooms that one was in. @returns {Kept[]} */
  get kept() {
    return this.#newest.map(({ topic, count, ...kept }) => kept);
  }

  get #newest() {
    return [...this.#known.values()].sort((a, b) => b.visited - a.visited).slice(0, MOST);
  }

  /** The rooms that one was in, by name. @returns {Entry[]} */
  get all() {
    return this.#newest.filter((one) => !isOff(one)).sort((a, b) => a.name.localeCompare(b.name));
  }

  /** @param {string} name */
  get(name) {
    return this.#known.get(name);
  }

  /** How many words mention one, in rooms that one has not looked at since. */
  get mentions() {
    return this.all.reduce((sum, { mentions }) => sum + mentions, 0);
  }

  /** Whether anything is new anywhere. */
  get isNew() {
    return this.all.some(({ unread }) => unread > 0);
  }

  /** One is in this room from now on; `visit` is a number that grows. @param {string} name @param {number} visit */
  enter(name, visit) {
    this.here = name;
    this.others = this.others.filter((other) => other.name !== name);
    this.#known.set(name, { ...(this.#known.get(name) ?? blank(name)), visited: visit });
  }

  /** What another tab of this browser has kept. @param {Kept[]} kept */
  share(kept) {
    for (const entry of kept) {
      const mine = this.#known.get(entry.name);
      if (!mine) this.#known.set(entry.name, { ...blank(entry.name), ...entry });
      else {
        mine.visited = Math.max(mine.visited, entry.visited);
        if (entry.off) mine.off = Math.max(mine.off ?? 0, entry.off);
        this.readElsewhere(entry.name, entry.seen);
      }
    }
    this.others = this.others.filter(({ name }) => isOff(this.#known.get(name)));
  }

  /** Take a room off the list, until one goes there again; `now` is later than the last visit. @param {string} name @param {number} now */
  forget(name, now) {
    const entry = this.#known.get(name);
    if (entry) Object.assign(entry, { off: now, unread: 0, mentions: 0 });
  }

  /**
   * All of a room up to `seq` has been seen.
   * @param {string} name @param {number} seq
   * @returns {boolean} whether there was anything new
   */
  read(name, seq) {
    const entry = this.#known.get(name);
    const wasNew = entry !== undefined && entry.unread > 0;
    if (entry) Object.assign(entry, { seen: seq, head: seq, unread: 0, mentions: 0 });
    return wasNew;
  }

  /**
   * Something was said in the room that one is in, while one did not look.
   * @param {boolean} called whether to one
   * @param {number} [seq] its number
   */
  miss(called, seq = 0) {
    const entry = this.#known.get(this.here);
    if (!entry) return;
    entry.head = Math.max(entry.head, seq);
    entry.unread += 1;
    if (called) entry.mentions += 1;
  }

  /**
   * @param {{rooms: {room: string, seq: number, count?: number, mentions?: string[]}[]}} frame `news`
   * @param {(names: string[]) => boolean} isMe whether names in it mean oneself
   * @returns {string[]} the rooms with words to one
   */
  hear({ rooms }, isMe) {
    const calls = [];
    for (const { room, seq, count = 0, mentions = [] } of rooms) {
      const entry = this.#known.get(room);
      if (!entry || isOff(entry) || room === this.here) continue;
      if (seq < entry.seen) entry.seen = entry.head = 0; // another log
      const known = Math.max(entry.seen, entry.head);
      entry.head = seq;
      if (seq <= known) continue;
      entry.unread += Math.max(1, count);
      if (!isMe(mentions)) continue;
      entry.mentions += 1;
      calls.push(room);
    }
    return calls;
  }

  /**
   * Of a user the server knows what they have read, on whatever machine: then it counts what is new.
   * @param {{rooms: {room: string, count: number, seq?: number, topic?: string, read?: number, unread?: number,
   *   mentions?: number}[]}} frame `rooms`
   * @param {boolean} [all] whether these are all that others are in, and not those that were asked for
   */
  list({ rooms }, all = true) {
    if (all) {
      for (const entry of this.#known.values()) entry.count = 0;
      this.others = [];
    }
    for (const { room, count, topic = "", seq = 0, read = -1, unread = 0, mentions = 0 } of rooms) {
      if (read >= 0 && !this.#known.has(room)) this.#known.set(room, blank(room));
      const entry = this.#known.get(room);
      if (isOff(entry)) {
        if (all) this.others.push({ ...blank(room), count, topic });
        continue;
      }
      Object.assign(entry, { count, topic });
      if (read >= entry.seen) Object.assign(entry, { seen: read, head: seq, unread, mentions });
    }
  }

  /**
   * One has read a room up to `seq`, in another tab or on another machine.
   * @param {string} name @param {number} seq
   * @returns {boolean} whether it is not known here what is new after that
   */
  readElsewhere(name, seq) {
    const entry = this.#known.get(name);
    if (!entry || seq <= entry.seen) return false;
    if (seq < entry.head) return true;
    Object.assign(entry, { seen: seq, head: seq, unread: 0, mentions: 0 });
    return false;
  }

  /**
   * Rooms whose names have what is sought: those that begin with it first, what is new before the rest.
   * @param {string} sought @returns {Entry[]}
   */
  find(sought) {
    const folded = (/** @type {string} */ one) => one.normalize("NFKC").toLowerCase();
    const query = folded(sought.trim());
    const weight = (/** @type {Entry} */ one) =>
      (folded(one.name).startsWith(query) ? 0 : 4) + (one.visited ? 0 : 2) + (one.unread ? 0 : 1);
    return [...this.all, ...this.others]
      .filter(({ name }) => folded(name).includes(query))
      .sort((a, b) => weight(a) - weight(b) || b.mentions - a.mentions || a.name.localeCompare(b.name));
  }
}
