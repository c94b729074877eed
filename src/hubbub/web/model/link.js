/**
 * When to come back, and when not to. Pure: the caller has the clock and the dice.
 */

const FIRST = 500;
const MOST = 30_000;

/**
 * How long to wait before an attempt, in ms: doubled each time, with jitter over its upper half,
 * so that a restart does not bring everyone at once; or a little more than the server asked for.
 * @param {number} attempt 0 for the first
 * @param {number} random 0 to 1
 * @param {number} [least] seconds that the server asked to wait
 */
export function backoff(attempt, random, least = 0) {
  if (least) return Math.round(least * 1000 * (1 + random / 2));
  const full = Math.min(MOST, FIRST * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.5 + random / 2));
}

/**
 * How long the server asks to wait in the reason of its close, in ms; null if it does not.
 * @param {string} reason
 */
export function asked(reason) {
  const found = /retry_after=(\d+(\.\d+)?)$/.exec(reason);
  return found ? Math.min(MOST, Math.round(1000 * Number(found[1]))) : null;
}

const STOPS = new Set([1002, 1007, 1008, 1009, 4401, 4403, 4409]);

/**
 * Whether a close code says that coming back would be wrong.
 * @param {number} code
 */
export function isFinal(code) {
  return STOPS.has(code);
}

/** Silence after which the server is asked, and how long it has to answer, in ms. */
export const SILENCE = 20_000;
export const ANSWER = 5_000;

/**
 * What a look at a connection that should be alive comes to.
 * @param {number} now
 * @param {number} heard when something last came
 * @param {number | null} asked when the server was asked, if it was and has not answered
 * @returns {"fine" | "ask" | "dead"}
 */
export function look(now, heard, asked) {
  if (asked !== null && heard < asked) return now - asked >= ANSWER ? "dead" : "fine";
  return now - heard >= SILENCE ? "ask" : "fine";
}

/**
 * The WebSocket's address, relative to the page: wss under https, and below a path.
 * @param {string} page the page's own address
 */
export function address(page) {
  const url = new URL("ws", page);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = url.hash = "";
  return url.href;
}

/**
 * An id that nobody else chooses. `getRandomValues` is there on plain http, `randomUUID` is not.
 * @param {(bytes: Uint8Array) => Uint8Array} fill
 */
export function newId(fill) {
  return Array.from(fill(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
