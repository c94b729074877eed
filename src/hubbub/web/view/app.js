/** The page put together: what the person does, what the server says, what is shown. */

import { newId } from "../model/link.js";
import { Outbox } from "../model/outbox.js";
import { Room } from "../model/room.js";
import { Socket } from "../model/socket.js";
import { composer } from "./composer.js";
import { byId } from "./dom.js";
import { door, hideDoor, showDoor, waitAtDoor } from "./door.js";
import { apply, clear, showEmpty, toEnd } from "./log.js";
import { isReload, memory } from "./memory.js";
import { lookBack, looked, lookFailed, lookLost } from "./older.js";
import { showPending } from "./pending.js";
import { showPeople } from "./people.js";
import { words } from "./words.js";

const outbox = new Outbox();
/** @type {Socket | null} */
let socket = null;
/** @type {Room | null} the room one is in, or will be in again */
let room = null;
let ready = false;

byId("copy").textContent = words.copy;
byId("leave").textContent = words.leave;

/** @param {string} name @param {string} place */
function enter(name, place) {
  waitAtDoor(true);
  room = new Room(place, name);
  ready = false;
  socket?.end();
  socket = new Socket({ open: hello, frame: hear, state: showState, stop, lost });
}

/** Who we are, and from where on we want to hear. */
function hello() {
  if (!room) return;
  /** @type {Record<string, unknown>} */
  const join = { type: "join", room: room.name, username: room.me, id: "join" };
  if (memory.session) join.session = memory.session;
  if (room.epoch) Object.assign(join, { since: room.seq, epoch: room.epoch });
  socket?.send(join);
}

/** @param {any} frame */
function hear(frame) {
  if (!room) return;
  if (frame.type === "welcome") return welcome(frame);
  if (frame.type === "error") return refused(frame);
  if (frame.type === "history") {
    looked(frame, room);
    return back();
  }
  apply(room.hear(frame), room, true);
  if (frame.type === "roster") showPeople(room);
  if (frame.type === "chat") {
    if (outbox.arrived(frame.id) || frame.username === room.me) flush();
  }
}

/** @param {any} frame */
function welcome(frame) {
  if (!room) return;
  const again = room.epoch !== "";
  const patch = room.welcome(frame);
  memory.session = frame.session;
  memory.name = memory.as = room.me;
  memory.room = memory.inside = room.name;
  const url = new URL(location.href);
  url.searchParams.set("room", room.name);
  history.replaceState(null, "", url);
  document.title = `${room.name} · Hubbub`;
  byId("place").textContent = room.name;
  hideDoor();
  if (patch.fresh) clear();
  for (const event of frame.history ?? []) outbox.arrived(event.id);
  apply(patch, room, false);
  showEmpty(url.href);
  showPeople(room);
  socket?.settled();
  ready = true;
  back();
  flush();
  if (!again) {
    toEnd();
    byId("message").focus();
  }
}

/** @param {any} error */
function refused(error) {
  if (error.id === "join") {
    leave();
    showDoor(error);
    return;
  }
  if (lookFailed(error)) {
    if (error.retry_after !== undefined) window.setTimeout(back, error.retry_after * 1000 + 20);
    else note(error.message);
    return;
  }
  if (outbox.refused(error, Date.now())) {
    const wait = error.retry_after;
    if (wait !== undefined) {
      note(words.patience);
      window.setTimeout(flush, wait * 1000 + 20);
    }
  } else note(error.message);
  flush();
}

/** Older messages, if one looks at the top. */
function back() {
  if (room && ready) lookBack(room, (frame) => socket?.send(frame));
}

byId("scroll").addEventListener("scroll", back);

/** Send what may be sent, and show what waits. */
function flush() {
  const letter = ready ? outbox.next(Date.now()) : null;
  if (letter) socket?.send({ type: "chat", text: letter.text, id: letter.id });
  if (letter || !outbox.letters.length) note("");
  showPending(
    outbox.letters,
    (id) => {
      outbox.again(id);
      flush();
    },
    (id) => {
      outbox.drop(id);
      flush();
    },
  );
}

function lost() {
  ready = false;
  lookLost();
  outbox.lost();
}

/** @param {number} code @param {string} reason */
function stop(code, reason) {
  memory.inside = "";
  socket = null;
  room = null;
  showDoor({ message: words.stopped[code] ?? (reason || words.final) });
}

function leave() {
  memory.inside = "";
  socket?.end();
  socket = null;
  room = null;
  ready = false;
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

composer((text) => {
  outbox.add(newId((bytes) => crypto.getRandomValues(bytes)), text);
  flush();
  toEnd();
});

byId("leave").addEventListener("click", () => {
  leave();
  showDoor();
  byId("name").focus();
});

byId("copy").addEventListener("click", async () => {
  const link = location.href;
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    // Plain http has no clipboard: select the text the old way.
    const box = document.createElement("textarea");
    box.value = link;
    box.className = "unseen";
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  byId("copy").textContent = words.copied;
  window.setTimeout(() => (byId("copy").textContent = words.copy), 2000);
});

door(enter);
if (memory.inside && memory.as && isReload()) enter(memory.as, memory.inside);
