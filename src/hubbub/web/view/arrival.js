/** Who stands at the door: as whom one may come in, or why one may not. */

import { backoff } from "../model/link.js";
import { isSpent } from "../model/session.js";
import { recognise, showDoor, waitAtDoor } from "./door.js";
import { renewal, share, watchEnd } from "./renewal.js";
import { session } from "./session.js";
import { words } from "./words.js";

/**
 * What the door has to know of the house: whether one went in, whether the room has let one in, how
 * to be out; `learned`: it is known who one is; `refused`: there is no way in as one is, which ends
 * in `shut`; `renewed`: another token holds.
 * @typedef {{isIn: () => boolean, isKnown: () => boolean, out: () => void, learned: () => void,
 *   refused: (why: {code: string, message: string}) => void,
 *   renewed: (as: {username: string, name: string}) => void}} House
 */

/** @type {House} */
let house;
/** Counts what is asked, so that a late answer is known as one. */
let turn = 0;
let attempt = 0;
let timer = 0;

/** @param {House} mine */
export function arrival(mine) {
  house = mine;
  renewal(offered);
}

/** Ask who one is, and show the form that fits. */
export async function arrive() {
  const mine = ++turn;
  clearTimeout(timer);
  if (session.token && !house.isIn()) waitAtDoor(true); // its name comes with the answer
  const found = await session.ask();
  if (mine !== turn) return;
  if (found.kind === "stop") return house.isKnown() ? undefined : house.refused(found);
  if (found.kind === "in") {
    attempt = 0;
    recognise(found.username ? found.name : "");
    share();
    learned();
    if (!house.isIn()) showDoor();
  } else if (!house.isIn()) {
    if (found.code || session.token) showDoor({ message: later(found.code) });
    timer = window.setTimeout(arrive, backoff(attempt++, Math.random(), found.seconds));
  }
}

function learned() {
  watchEnd();
  house.learned();
}

/**
 * One cannot come in as one is; without a token that is no good perhaps as a guest.
 * @param {{code: string, message: string}} refusal
 */
export async function shut({ code, message }) {
  const mine = ++turn;
  clearTimeout(timer);
  house.out();
  const why = words.refused[code] ?? message;
  recognise("", true);
  showDoor({ message: why });
  watchEnd();
  if (!isSpent(code)) return;
  const found = await session.ask();
  if (mine !== turn || found.kind !== "in") return;
  recognise("");
  showDoor({ message: `${why} ${words.comeAsGuest}` });
  house.learned();
}

/** Why one is not let in yet. @param {string} code */
export const later = (code) => `${words.later[code] ?? words.unreachable} ${words.soon}`;

/**
 * Another tab, or the site, has a token: it is for this tab if it is of the same user, or if one
 * stands at the door without any.
 * @param {string} token
 */
async function offered(token) {
  if (token === session.token) return;
  const { user } = session;
  const found = await session.change(token, (username) => username === user || (!user && !house.isIn()));
  if (!found) return;
  turn++;
  clearTimeout(timer);
  if (!house.isIn()) recognise(found.name);
  learned();
  house.renewed(found);
}
