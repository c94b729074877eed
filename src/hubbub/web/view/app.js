/** The page put together: what the person does, what the server says, what is shown. */

import { newId } from "../model/link.js";
import { Room } from "../model/room.js";
import { Socket } from "../model/socket.js";
import { Desk, deskFor, tidy } from "../store/desk.js";
import { Mail } from "../store/mail.js";
import { orderTool, tools } from "./changes.js";
import { beginEdit, composer, editing, endEdit, silence } from "./composer.js";
import { copyLink } from "./copy.js";
import { byId } from "./dom.js";
import { door, hideDoor, knownAtDoor, showDoor, waitAtDoor } from "./door.js";
import { apply, clear, dressFrom, look, showEmpty, toEnd } from "./log.js";
import { isReload, memory } from "./memory.js";
import { orderBy, orderLogin, orderPerson, orderRoom, showHolding } from "./moderation.js";
import { lookBack, looked, lookFailed, lookLost } from "./older.js";
import { showPending } from "./pending.js";
import { showPeople } from "./people.js";
import { ask, protocols, takeToken } from "./session.js";
import { moment } from "./time.js";
import { words } from "./words.js";

/** Events that are kept, so that a reload shows at once where one was. */
const KEPT = 200;

/** @type {Socket | null} */
let socket = null;
/** @type {Room | null} the room one is in, or will be in again */
let room = null;
let ready = false;
/** What a token says that one is called; empty without one. */
let user = "";
let silenceTimer = 0;
/** The session from before this attempt to enter, to go back to if it fails. */
let former = "";
/** Which change is shown as waiting on which message. @type {Map<number, string>} */
let changing = new Map();
const mail = new Mail(post, showMail, words.refusals.not_found);

byId("copy").textContent = words.copy;
byId("leave").textContent = words.leave;

/**
 * @param {string} name @param {string} place
 * @param {boolean} [again] whether one is there already, as far as one knows
 */
async function enter(name, place, again = false) {
  waitAtDoor(true);
  end();
  if (user) name = user;
  const mine = new Room(place, name);
  room = mine;
  // Another name is another person: what was written under the old one is not sent under this one.
  if (memory.as && memory.as !== name) memory.session = "";
  if (user && !memory.session.startsWith(ofUser(user))) memory.session = ofUser(user) + newId((bytes) => crypto.getRandomValues(bytes));
  former = memory.session;
  const desk = await deskFor(place, former, name, !again);
  const position = await desk?.position();
  if (room !== mine) return void desk?.release();
  if (desk) memory.session = desk.session;
  clear();
  if (position) apply(room.restore(position), room, false);
  if (again) furnish(room);
  socket = new Socket({ open: hello, frame: hear, state: showState, stop, lost, protocols, ask, refused: turnedAway });
  if (desk) await mail.sit(desk);
}

/** Show the room in place of the door. @param {Room} mine */
function furnish(mine) {
  memory.name = memory.as = mine.me;
  memory.room = memory.inside = mine.name;
  const url = new URL(location.href);
  url.searchParams.set("room", mine.name);
  history.replaceState(null, "", url);
  document.title = `${mine.name} · Hubbub`;
  byId("place").textContent = mine.name;
  if (byId("house").hidden) {
    hideDoor();
    toEnd();
    byId("message").focus();
  }
}

/** Who we are, and from where on we want to hear. */
function hello() {
  if (!room) return;
  /** @type {Record<string, unknown>} */
  const join = { type: "join", room: room.name, id: "join" };
  if (!user) join.username = room.me;
  if (memory.session && !user) join.session = memory.session;
  if (room.epoch) Object.assign(join, { since: room.seq, epoch: room.epoch });
  socket?.send(join);
}

/** @param {any} frame */
function hear(frame) {
  if (!room) return;
  if (frame.type === "welcome") return welcome(frame);
  if (frame.type === "error") return refused(frame);
  if (frame.type === "sanctions") return showHolding(frame);
  if (frame.type === "ok") return agreed(frame);
  if (frame.type === "history") {
    frame.events.forEach(settle);
    looked(frame, room);
    return back();
  }
  settle(frame);
  apply(room.hear(frame), room, true);
  if (frame.type === "roster") people();
  if (frame.type === "moderated") limits();
  const edited = editing();
  if (edited !== null && room.chat(edited)?.deleted) {
    endEdit();
    note(words.vanished);
  }
  stand();
}

/** @param {any} frame */
function welcome(frame) {
  if (!room) return;
  const patch = room.welcome(frame);
  const session = frame.session ?? memory.session;
  memory.session = former = session;
  if (patch.fresh) {
    clear();
    endEdit();
    lookLost();
  }
  (frame.history ?? []).forEach(settle);
  apply(patch, room, false);
  furnish(room);
  showEmpty(location.href);
  people();
  limits();
  socket?.settled();
  ready = true;
  if (mail.desk?.room !== room.name || mail.desk.session !== session) {
    mail.sit(new Desk(room.name, session, room.me));
  }
  mail.begin(room.epoch);
  stand();
  back();
}

/** How the name begins under which a user's letters are kept: no session, and never sent as one. */
const ofUser = (/** @type {string} */ sub) => `user ${sub} `;

function people() {
  if (!room) return;
  showPeople(room, (username) => orderPerson({ username }));
  byId("order-room").hidden = !room.mod;
  byId("order-login").hidden = room.mod || Boolean(user);
}

/** Whether one may write, as far as one knows; and look again when that may end. */
function limits() {
  clearTimeout(silenceTimer);
  const now = Date.now();
  const code = room?.silent(now) ?? null;
  const until = code === "muted" ? room?.muted?.until : undefined;
  silence(code && words.why({ code }, until ? moment(until) : ""));
  if (until) silenceTimer = window.setTimeout(limits, Math.min(until - now + 50, 2 ** 30));
}

/** @param {Record<string, unknown>} frame */
function order(frame) {
  socket?.send({ ...frame, room: room?.name, id: `order ${frame.type} ${Date.now()}` });
}

/** The server did what a moderator asked for. @param {any} frame */
function agreed(frame) {
  note(words.done);
  if (!room || !String(frame.id).startsWith("order mod ")) return;
  room.mod = true;
  people();
  limits();
  for (const row of room.rows) if (row.kind === "chat") look(row, room);
}

/** There will be no socket. @param {{code: string, message: string}} why */
function turnedAway({ code, message }) {
  memory.inside = "";
  end();
  knownAtDoor((user = ""));
  showDoor({ message: words.refused[code] ?? message });
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
  error = { ...error, message: words.why(error, error.until ? moment(error.until) : "") };
  if (error.room !== undefined && error.id === undefined && error.room === room?.name) {
    memory.inside = "";
    end();
    showDoor({ message: error.message });
    return;
  }
  if (error.id === "join") {
    if (wait !== undefined) {
      note(words.patience[error.code] ?? error.message);
      window.setTimeout(hello, wait * 1000 + 20);
      return;
    }
    memory.inside = "";
    memory.session = former;
    end();
    showDoor(error);
    return;
  }
  if (lookFailed(error)) {
    if (wait !== undefined) window.setTimeout(back, wait * 1000 + 20);
    else note(error.message);
    return;
  }
  const letter = mail.refused(error);
  if (!letter) note(error.message);
  else if (wait !== undefined) note(words.patience[error.code] ?? error.message);
  else if (letter.kind !== "chat" && room) {
    const seq = letter.seq ?? 0;
    if (error.code === "forbidden") room.own.delete(seq);
    else if (error.code === "not_found" && letter.kind === "delete") {
      mail.discard(letter.id); // it is gone, which is what was wanted
      apply(room.lose(seq), room, false);
    }
    look(room.chat(seq), room);
    stand();
  }
}

/** Older messages, if one looks at the top. */
function back() {
  if (room && ready) lookBack(room, (frame) => socket?.send(frame));
}

byId("scroll").addEventListener("scroll", back);

/** @param {import("../model/outbox.js").Letter} letter */
function post({ kind, seq, text, id }) {
  const what = kind === "chat" ? { text } : kind === "edit" ? { seq, text } : { seq };
  socket?.send({ type: kind, room: room?.name, ...what, id });
}

function showMail() {
  showPending(mail.letters, (id) => mail.again(id), (id) => mail.discard(id));
  const before = changing;
  changing = new Map();
  for (const { seq, state, id } of mail.letters) if (seq && state !== "failed") changing.set(seq, id);
  for (const seq of new Set([...before.keys(), ...changing.keys()])) {
    if (room && before.get(seq) !== changing.get(seq)) look(room.chat(seq), room);
  }
}

/** @param {"edit" | "delete"} kind @param {number} seq @param {string} text */
function change(kind, seq, text) {
  if (room) mail.write({ kind, seq, text, epoch: room.epoch });
}

dressFrom({
  waits: (row) => {
    const id = changing.get(row.seq);
    return id ? mail.letters.find((letter) => letter.id === id && letter.epoch === room?.epoch) : undefined;
  },
  dress: (row, li) => {
    if (row.deleted || !room) return;
    if (!room.own.has(row.seq)) {
      if (room.mod && row.username !== room.me) orderTool(row, li, orderPerson);
      return;
    }
    li.classList.toggle("edits", editing() === row.seq);
    tools(row, li, beginEdit, () => change("delete", row.seq, ""));
  },
});

function lost() {
  ready = false;
  lookLost();
  mail.lost();
}

/** @param {number} code @param {string} reason */
function stop(code, reason) {
  memory.inside = "";
  end();
  showDoor({ message: words.stopped[code] ?? (reason || words.final) });
}

/** Be in no room. What was not sent is kept for who comes again under this name. */
function end() {
  endEdit();
  lost();
  socket?.end();
  socket = null;
  room = null;
  mail.close();
  note("");
  document.title = "Hubbub";
}

/** @param {import("../model/socket.js").State} state */
function showState(state) {
  const status = byId("status");
  status.dataset.state = state.kind;
  const text = state.kind === "waiting" ? words.again(state.seconds) : words[state.kind];
  if (status.textContent !== text) status.textContent = text;
}

/** @param {string} what */
function note(what) {
  if (byId("note").textContent !== what) byId("note").textContent = what;
}

composer({
  say: (text) => {
    mail.write({ kind: "chat", text });
    toEnd();
  },
  save: (seq, text) => change("edit", seq, text),
  last: () => room?.mine,
  marked: (seq) => room && look(room.chat(seq), room),
  note,
});

byId("leave").addEventListener("click", () => {
  memory.inside = "";
  mail.desk?.forget();
  end();
  showDoor();
  byId("name").focus();
});

byId("copy").addEventListener("click", copyLink);
byId("order-room").textContent = words.orderRoom;
byId("order-room").addEventListener("click", () => room && orderRoom({ slow: room.slow, readOnly: room.readOnly }));
byId("order-login").textContent = words.moderator;
byId("order-login").addEventListener("click", orderLogin);
orderBy(order);

takeToken();
door(enter);
tidy();
if (memory.token) waitAtDoor(true);
ask().then((me) => {
  waitAtDoor(room !== null);
  if (me.kind === "stop") return turnedAway(me);
  if (me.kind === "in" && me.username) {
    user = me.username;
    knownAtDoor(me.name);
  }
  if (memory.inside && memory.as && isReload() && memory.token) enter(user || memory.as, memory.inside, true);
});
if (memory.inside && memory.as && isReload() && !memory.token) enter(memory.as, memory.inside, true);
