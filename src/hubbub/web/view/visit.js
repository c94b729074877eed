/** Being in a room: what the server says of it, what one says there, coming and going. */

import { newId } from "../model/link.js";
import { frameOf } from "../model/outbox.js";
import { Room } from "../model/room.js";
import { Socket } from "../model/socket.js";
import { Desk, deskFor, leftBehind } from "../store/desk.js";
import { Mail } from "../store/mail.js";
import { shut } from "./arrival.js";
import { answered, answersLost } from "./asking.js";
import { answering, draft, editing, endEdit, endReply, write } from "./composer.js";
import { closeDialog } from "./dialog.js";
import { byId } from "./dom.js";
import { draftOf, isDraftOf, keepDraft, noDraft } from "./drafts.js";
import { door, hideDoor, showDoor, showLeft, waitAtDoor } from "./door.js";
import { dress, lookAgain, showLetters } from "./letters.js";
import { apply, clear, look, showEmpty, toEnd } from "./log.js";
import { memory } from "./memory.js";
import { orderPerson, showModes, stillModerator } from "./moderation.js";
import { lookBack, looked, lookFailed, lookLost } from "./older.js";
import { showPeople } from "./people.js";
import { atDoor } from "./refusal.js";
import { session } from "./session.js";
import { beginNews, endNews, hearNews, hearRead, rooms, showRooms } from "./sidebar.js";
import { showSpeech } from "./speech.js";
import { note, showState } from "./status.js";
import { jump, named, showTopic } from "./talk.js";
import { hearWriters, nobodyWrites, typing } from "./typing.js";
import { came, comeIn, comes, showTitle } from "./unread.js";
import { words } from "./words.js";

/** Events that are kept, so that a reload shows at once where one was. */
const KEPT = 200;

/** @type {Socket | null} */
let socket = null;
/** @type {Room | null} the room one is in, or will be in again */
export let room = null;
export let ready = false;
/** The token that the socket was shown last. */
let shown = "";
/** Where a user was when their token ended. @type {{place: string, user: string} | null} */
export let ended = null;
/** Whether it was asked what one may do here, and whether that is old by now. */
let asks = { open: false, again: false };
/** The session from before this attempt to enter, to go back to if it fails. */
let former = "";
let offering = Promise.resolve();
export const mail = new Mail((letter) => socket?.send(frameOf(letter, room?.name)), () => showLetters(mail, room), words.refusals.not_found);

/**
 * @param {string} name @param {string} place
 * @param {boolean} [again] whether one is there already, as far as one knows
 */
export async function enter(name, place, again = false) {
  waitAtDoor(true);
  end();
  ended = null;
  if (session.user) name = session.user;
  const mine = new Room(place, name, session.user !== "");
  room = mine;
  // Another name is another person: what was written under the old one is not sent under this one.
  if ((memory.as && memory.as !== name) || !isOurs(memory.session)) memory.session = "";
  if (mine.user) memory.session ||= ofUser(name) + newId((bytes) => crypto.getRandomValues(bytes));
  former = memory.session;
  const desk = await deskFor(place, former, name, (other) => !again && isOurs(other));
  const position = await desk?.position();
  if (room !== mine) return void desk?.release();
  if (desk) memory.session = desk.session;
  clear();
  if (position) apply(room.restore(position), room, false);
  if (again) furnish(room);
  socket = new Socket({ open: () => hello("join"), frame: hear, state: showState, stop, lost, protocols, ask: session.ask, refused: turnedAway });
  if (desk) await mail.sit(desk);
}

/** How the names begin under which users' letters are kept: no sessions, and never sent as such. */
const USER = "user ";
const ofUser = (/** @type {string} */ sub) => `${USER}${JSON.stringify(sub)} `;

/** Whether it is of who one is now. @param {string} other */
const isOurs = (other) => (session.user ? other.startsWith(ofUser(session.user)) : !other.startsWith(USER));

function protocols() {
  shown = session.token;
  return session.protocols();
}

/** Show the room in place of the door. @param {Room} mine */
function furnish(mine) {
  memory.as = mine.me;
  if (!mine.user) memory.name = mine.me;
  memory.room = memory.inside = mine.name;
  const url = new URL(location.href);
  url.searchParams.set("room", mine.name);
  history.replaceState(null, "", url);
  rooms.here = mine.name;
  showTitle(mine);
  byId("place").textContent = mine.name;
  if (!isDraftOf(mine.name, mine.me)) write(draftOf(mine.name, mine.me));
  if (byId("house").hidden) {
    hideDoor();
    toEnd();
    byId("message").focus();
  }
}

/** Who we are, and from where on we want to hear. @param {"join" | "standing"} id */
function hello(id) {
  if (!room) return;
  /** @type {Record<string, unknown>} */
  const join = { type: "join", room: room.name, id };
  if (!room.user) join.username = room.me;
  if (memory.session && !room.user) join.session = memory.session;
  if (room.epoch) Object.assign(join, { since: room.seq, epoch: room.epoch });
  socket?.send(join);
}

/** What one may do here may be another thing now: a welcome says it, also to who is here. */
export function askStanding() {
  if (asks.open) asks.again = true;
  else if (ready) {
    asks = { open: true, again: false };
    hello("standing");
  }
}

/** @param {any} frame */
function hear(frame) {
  if (!room || answered(frame)) return;
  if (frame.type === "welcome") return frame.id === "standing" ? stoodAs(frame) : welcome(frame);
  if (frame.type === "error") return refused(frame);
  if (frame.type === "ok" && frame.id === "auth") return askStanding();
  if (frame.type === "history") {
    frame.events.forEach(settle);
    looked(frame, room);
    return back();
  }
  settle(frame);
  hearWriters(frame, room);
  if (frame.type === "typing") return;
  if (frame.type === "news") return hearNews(frame);
  if (frame.type === "read") return hearRead(frame);
  comes(frame, room);
  apply(room.hear(frame), room, true);
  came(frame, room);
  if (frame.type === "roster") showStanding();
  if (frame.type === "moderated") {
    showSpeech(room);
    showModes();
    showTopic(room);
    if (frame.username === room.me) askStanding();
  }
  const edited = editing() ?? answering();
  if (edited !== null && room.chat(edited)?.deleted) {
    endEdit(true);
    endReply();
    note(words.vanished);
  }
  stand();
}

/** @param {any} frame */
function welcome(frame) {
  if (!room) return;
  if (ready) mail.lost(); // unasked: what is under way may be in the log that is gone
  const wasMod = room.mod;
  const patch = room.welcome(frame);
  const mine = frame.session ?? memory.session;
  memory.session = former = mine;
  if (patch.fresh) {
    clear();
    endEdit(true);
    endReply();
    lookLost();
  }
  note(frame.reset ? words.begunAnew : "");
  (frame.history ?? []).forEach(settle);
  apply(patch, room, false);
  furnish(room);
  comeIn(room, frame.seq);
  showRooms();
  beginNews();
  showEmpty(location.href);
  showTopic(room);
  nobodyWrites();
  if (wasMod !== room.mod) lookAgain(room);
  showStanding();
  socket?.settled();
  ready = true;
  stillModerator(room);
  if (mail.desk?.room !== room.name || mail.desk.session !== mine) mail.sit(new Desk(room.name, mine, room.me));
  mail.begin(room.epoch);
  if (session.token !== shown) showToken();
  stand();
  back();
  const seq = named();
  if (seq) jump(seq, room);
}

/** What one may do here, as it is now. @param {any} frame */
function stoodAs(frame) {
  if (!room) return;
  const { again } = asks;
  const wasMod = room.mod;
  asks = { open: false, again: false };
  room.stand(frame);
  if (wasMod !== room.mod) lookAgain(room);
  showStanding();
  showTopic(room);
  stillModerator(room);
  if (again) askStanding();
}

/** Show what one is and may do here. */
export function showStanding() {
  if (!room) return;
  const mine = room;
  showPeople(mine, (whom) => orderPerson(mine, whom));
  showSpeech(mine);
  byId("order-room").hidden = !mine.mod;
  byId("order-login").hidden = mine.mod || !session.password;
}

/** Show the server the token that one has now. */
export function showToken() {
  shown = session.token;
  socket?.send({ type: "auth", token: shown, id: "auth" });
}

/** There will be no socket. @param {{code: string, message: string}} why */
export function turnedAway(why) {
  const was = room;
  shut(why);
  ended = was?.user ? { place: was.name, user: was.me } : null;
}

/** If this is what became of a letter of ours, it is our message. @param {any} frame */
function settle(frame) {
  const letter = frame.id === undefined ? undefined : mail.arrived(frame);
  if (!letter || !room) return;
  note("");
  if (letter.kind !== "chat") return;
  room.own.add(frame.seq);
  look(room.chat(frame.seq), room);
}

/** Keep where we are. */
function stand() {
  const mine = room;
  if (mine && ready) mail.desk?.stand(() => mine.position(KEPT));
}

/** @param {any} error */
function refused(error) {
  const wait = error.retry_after;
  /** @param {() => void} what */
  const later = (what) => window.setTimeout(what, wait * 1000 + 20);
  if (error.room !== undefined && error.id === undefined && error.room === room?.name) return putOut(error);
  if (error.id === "join") {
    if (wait === undefined) {
      memory.session = former;
      return putOut(error);
    }
    note(words.patience[error.code] ?? error.message);
    return void later(() => hello("join"));
  }
  if (error.id === "standing") {
    if (wait !== undefined) later(() => hello("standing"));
    return;
  }
  if (error.id === "auth" && wait !== undefined) return void later(showToken);
  if (lookFailed(error)) {
    if (wait !== undefined) later(back);
    else note(error.message);
    return;
  }
  const letter = mail.refused(error);
  if (!letter || !room) note(error.message);
  else if (wait !== undefined) {
    const slowed = room.slow && error.code === "rate_limited";
    note(slowed ? words.slowed(Math.ceil(wait)) : words.patience[error.code] ?? error.message);
  } else refusedLetter(letter, error, room);
}

/** @param {import("../model/outbox.js").Letter} letter @param {any} error @param {Room} mine */
function refusedLetter(letter, error, mine) {
  if (error.code === "muted") mine.muted = { until: error.until, reason: error.reason };
  if (error.code === "read_only") mine.readOnly = true;
  if (error.code === "forbidden" && letter.kind === "chat") mine.writes = false;
  showSpeech(mine);
  if (letter.kind === "chat") return;
  const seq = letter.seq ?? 0;
  if (error.code === "forbidden") mine.own.delete(seq);
  else if (error.code === "not_found" && letter.kind === "delete") {
    mail.discard(letter.id); // it is gone, which is what was wanted
    apply(mine.lose(seq), mine, false);
  }
  look(mine.chat(seq), mine);
  stand();
}

/** One is not in the room, or not any more. @param {any} error */
function putOut(error) {
  out();
  showDoor(atDoor(error));
}

/** Older messages, if one looks at the top. */
function back() {
  if (room && ready) lookBack(room, (frame) => socket?.send(frame));
}

byId("scroll").addEventListener("scroll", back);

/** @param {"edit" | "delete"} kind @param {number} seq @param {string} text */
export function change(kind, seq, text) {
  if (room) mail.write({ kind, seq, text, epoch: room.epoch });
}

dress(mail, () => room, change);

function lost() {
  ready = false;
  asks = { open: false, again: false };
  lookLost();
  answersLost();
  mail.lost();
}

/** @param {number} code @param {string} reason */
function stop(code, reason) {
  if (code !== 4401) {
    out();
    showDoor({ message: words.stopped[code] ?? (reason || words.final) });
  } else if (room && session.token !== shown) enter(room.me, room.name, true); // a newer one came meanwhile
  else {
    session.forget();
    turnedAway({ code: "token_expired", message: reason });
  }
}

/** Out of the room, and not to come back by oneself. */
export function out() {
  memory.inside = "";
  end();
}

/** Be in no room. What was not sent is kept for who comes again under this name. */
function end() {
  endEdit();
  endReply();
  nobodyWrites();
  lost();
  socket?.end();
  socket = null;
  room = null;
  closeDialog();
  showSpeech(null);
  mail.close().then(offerLeft);
  note("");
  keepDraft(draft());
  noDraft();
  endNews();
  showTitle(null);
}

/** Go to another room under the same name. @param {string} place */
export function go(place) {
  byId("message").focus();
  if (!room || place === room.name) return;
  const url = new URL(location.href);
  url.searchParams.set("room", place);
  history.pushState(null, "", url);
  enter(room.me, place, true);
}

addEventListener("popstate", () => {
  const place = new URL(location.href).searchParams.get("room");
  if (room && place && place !== room.name) enter(room.me, place, true);
});

/** At the door: what was left unsent. One look after the other: each holds the locks that it tries. */
export function offerLeft() {
  offering = offering.then(async () => {
    if (!room && (!session.token || session.user)) showLeft(await leftBehind(isOurs));
  });
}

/** @param {object} frame */
export const send = (frame) => socket?.send(frame);
