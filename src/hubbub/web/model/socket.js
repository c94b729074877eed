import { ANSWER, address, asked, backoff, isFinal, look } from "./link.js";

/**
 * A connection that comes back by itself. `on` hears of what happens: `open` (say who you are),
 * `frame`, `state`, `stop` (a close that says not to come back) and `refused` (there will be no
 * socket, as `ask` found out: a browser does not say why an upgrade failed). Where one failed, the
 * server is asked before the next is tried, and `waiting` has the `code` why there is none yet.
 *
 * @typedef {{kind: "connecting" | "connected" | "offline"}
 *   | {kind: "waiting", seconds: number, code: string}} State
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
  /** Why there was no socket at the last look, if the server said so. */
  #barred = "";
  /** Whether the server has been asked and has not answered yet. */
  #asking = false;
  /** Counts what is tried, so that a late answer is known as one. */
  #turn = 0;
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
    this.#barred = "";
    this.on.state({ kind: "connected" });
  }

  end() {
    clearInterval(this.#timer);
    this.#turn++;
    this.#due = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
  }

  /** Something may have changed while nobody looked: try at once, or ask whether it is true. */
  check() {
    if (this.#due !== null) this.#again();
    else if (this.#socket?.readyState === WebSocket.OPEN) this.#ask();
  }

  #connect() {
    this.#turn++;
    this.#asking = false;
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
    this.#wait(0, asked(reason));
    if (!this.#opened) this.#askWhy(false);
  }

  /**
   * Try again later: when the server asked for it, or else later each time, and not before so many
   * seconds.
   * @param {number} least
   * @param {number | null} [wanted] in ms
   */
  #wait(least, wanted) {
    const wait = wanted ?? backoff(this.#attempt, Math.random(), least);
    this.#attempt++;
    this.#due = Date.now() + wait;
    window.setTimeout(() => this.#tick(), wait);
    this.#tick();
  }

  /** It is time. */
  #again() {
    if (this.#barred || this.#asking) this.#askWhy(true);
    else this.#connect();
  }

  /**
   * There was no socket at all: what does the server say?
   * @param {boolean} tries whether to try at once where it has nothing against it
   */
  async #askWhy(tries) {
    const turn = ++this.#turn;
    if (tries) {
      this.#due = null;
      this.on.state({ kind: "connecting" });
    }
    this.#asking = true;
    const found = await this.on.ask();
    if (turn !== this.#turn) return;
    this.#asking = false;
    this.#barred = found.kind === "wait" ? found.code : "";
    if (found.kind === "stop") {
      this.end();
      this.on.refused(found);
    } else if (found.kind === "wait" && found.code) this.#wait(found.seconds);
    else if (tries) this.#connect();
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
      if (now >= this.#due) this.#again();
      else if (!navigator.onLine) this.on.state({ kind: "offline" });
      else this.on.state({ kind: "waiting", seconds: Math.ceil((this.#due - now) / 1000), code: this.#barred });
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
