/**
 * Who one is to the server: the token that a site gave, and what the server makes of it. The token
 * is in the address only until this is read; from then on in this tab's memory, and it goes to the
 * server in headers alone, never in an address, which proxies write down.
 */

import { isSpent, isToken, verdict } from "../model/session.js";
import { memory } from "./memory.js";

/** @typedef {import("../model/session.js").Verdict} Verdict */

/** How long to wait for an answer, in ms. */
const PATIENCE = 10_000;

/** Whether the token came with this load's address: then it is news for other tabs, too. */
let isNew = false;
// Where storage is forbidden they are here alone.
let user = memory.user;
let token = take();

/** Take `?token=` out of the address at once: it is nobody else's. */
function take() {
  const url = new URL(location.href);
  const given = url.searchParams.get("token");
  if (given === null) return memory.token;
  url.searchParams.delete("token");
  history.replaceState(null, "", url);
  if (given !== memory.token) memory.session = memory.inside = memory.user = user = "";
  isNew = true;
  return (memory.token = given);
}

export const session = {
  get token() {
    return token;
  },
  get isNew() {
    return isNew;
  },
  /** Who one is by the token; empty for guests, and as long as nobody said so. */
  get user() {
    return token && user;
  },
  /** Whom the last token was of, also when it has ended. */
  get former() {
    return user;
  },
  /** Whether there is a password for moderators. */
  password: false,
  /** When the token ends, by this machine's clock (Unix ms); 0: never, or nobody said. */
  ends: 0,

  /** What a WebSocket offers, so that it carries the token. */
  protocols() {
    return isToken(token) ? ["hubbub", `bearer.${token}`] : [];
  },

  /** The token is of no use any more. */
  forget() {
    token = memory.token = "";
    session.ends = 0;
  },

  /**
   * Ask the server whether a socket would be let in, and as whom. A spent token is forgotten.
   * @returns {Promise<Verdict>}
   */
  async ask() {
    const asked = token;
    const found = await fetched(asked);
    if (asked !== token) return found;
    if (found.kind === "in") adopt(asked, found);
    // Where tokens are not looked at (`--auth off`) it is of no use either.
    if (found.kind === "in" ? !found.username : found.kind === "stop" && isSpent(found.code)) session.forget();
    return found;
  },

  /**
   * Ask about another token, and go on with it if it is good and `fits`. Gives whether it is so.
   * @param {string} other @param {(username: string) => boolean} fits
   */
  async change(other, fits) {
    const found = await fetched(other);
    if (found.kind !== "in" || !found.username || !fits(found.username)) return null;
    if (found.username !== user) memory.session = "";
    adopt(other, found);
    return found;
  },
};

/** @param {string} mine @param {Verdict & {kind: "in"}} found */
function adopt(mine, found) {
  token = memory.token = mine;
  if (found.username) user = memory.user = found.username;
  session.password = found.password;
  session.ends = found.ends;
}

/** @param {string} asked @returns {Promise<Verdict>} */
async function fetched(asked) {
  if (asked && !isToken(asked)) return { kind: "stop", code: "bad_token", message: "" };
  const patience = new AbortController();
  const timer = window.setTimeout(() => patience.abort(), PATIENCE);
  try {
    const headers = asked ? { Authorization: `Bearer ${asked}` } : undefined;
    const answer = await fetch(new URL("api/session", document.baseURI), { headers, cache: "no-store", signal: patience.signal });
    const found = verdict(answer.status, await answer.json(), answer.headers.get("Retry-After"));
    const clock = Date.parse(answer.headers.get("Date") ?? "");
    // The end is told by the server's clock, and ours may be another.
    if (found.kind === "in" && found.ends && clock) found.ends += Date.now() - clock;
    return found;
  } catch {
    return { kind: "wait", code: "", seconds: 0 }; // away, or something between answers for it
  } finally {
    clearTimeout(timer);
  }
}
