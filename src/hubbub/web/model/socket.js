import { ANSWER, address, asked, backoff, isFinal, look } from "./link.js";

/**
 * A connection that comes back by itself. `on` hears of what happens: `open` (say who you are),
 * `frame`, `state`, `stop` (a close that says not to come back) and `refused` (there will be no
 * socket, as `ask` found out: a browser does not say why an upgrade failed).
 *
 * @typedef {{kind: "connecting" | "connected" | "offline"} | {kind: "waiting", seconds: number}} State
 * @typedef {{open: () => void, frame: (frame: any) => void, state: (state: State) => void,
 *   stop: (code: number, reason: string) => void, lost: () => void, protocols: () => string[],
 *   ask: () => Promise<import("./session.js").Verdict>,
 *   refused: (why: {code: string, message: string}) => void}} Listener
 */
export class Socket {
  /** @type {WebSocket | null} */
  #socket = null;
  #attempt = 0;
  #opened = false;
  /** When to try again, or null if not waiting. @type {number | null} */
  #due = null;
  #heard = 0;
  /** @type {number | null} */
  #asked = null;
  #timer = 0;

  /** @param {Listener} on */
  constructor(on) {
    this.on = on;
    this.#timer = window.setInterval(() => this.#tick(), 1000);
    addEventListener("online", () => this.check());
    addEventListener("offline", () => this.#tick());
    addEventListener("pageshow", () => this.check());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.check();
    });
    this.#connect();
  }

  /** @param {object} frame */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** The room has us: from here on a break counts as the first again. */
  settled() {
    this.#attempt = 0;
    this.on.state({ kind: "connected" });
  }

  end() {
    clearInterval(this.#timer);
    this.#due = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** Something may have changed while nobody looked: try at once, or ask whether it is true. */
  check() {
    if (this.#due !== null) this.#connect();
    else if (this.#socket?.readyState === WebSocket.OPEN) this.#ask();
  }

  #connect() {
    this.#due = null;
    this.on.state({ kind: "connecting" });
    const socket = new WebSocket(address(document.baseURI), this.on.protocols());
    this.#opened = false;
    this.#socket = socket;
    this.#heard = Date.now();
    this.#asked = null;
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#opened = true;
      this.on.open();
    };
    socket.onmessage = (event) => {
      if (this.#socket !== socket) return;
      this.#heard = Date.now();
      this.#asked = null;
      const frame = JSON.parse(event.data);
      if (frame.type !== "pong") this.on.frame(frame);
    };
    socket.onclose = (event) => this.#socket === socket && this.#closed(event.code, event.reason);
  }

  /** @param {number} code @param {string} reason */
  #closed(code, reason) {
    this.#socket = null;
    this.on.lost();
    if (isFinal(code)) {
      this.end();
      this.on.stop(code, reason);
      return;
    }
    const wait = asked(reason) ?? backoff(this.#attempt, Math.random());
    this.#attempt++;
    this.#due = Date.now() + wait;
    if (!this.#opened) this.#askWhy(this.#due);
    window.setTimeout(() => this.#tick(), wait);
    this.#tick();
  }

  /** There was no socket at all: perhaps there will be none. @param {number} due */
  async #askWhy(due) {
    const found = await this.on.ask();
    if (found.kind !== "stop" || this.#due !== due) return;
    this.end();
    this.on.refused(found);
  }

  #ask() {
    if (this.#asked !== null) return;
    this.#asked = Date.now();
    this.send({ type: "ping" });
    window.setTimeout(() => this.#tick(), ANSWER);
  }

  #tick() {
    const now = Date.now();
    if (this.#due !== null) {
      if (now >= this.#due) this.#connect();
      else if (!navigator.onLine) this.on.state({ kind: "offline" });
      else this.on.state({ kind: "waiting", seconds: Math.ceil((this.#due - now) / 1000) });
      return;
    }
    if (!this.#socket) return;
    const verdict = look(now, this.#heard, this.#asked);
    if (verdict === "ask") this.#ask();
    if (verdict !== "dead") return;
    const socket = this.#socket;
    this.#closed(1006, "no answer");
    socket.close();
  }
}
