/** The page put together: what each part of it does when the person or the server does something. */

import { tidy } from "../store/desk.js";
import { arrival, arrive } from "./arrival.js";
import { askBy } from "./asking.js";
import { completion } from "./completion.js";
import { composer, draft, editing } from "./composer.js";
import { copyLink } from "./copy.js";
import { byId } from "./dom.js";
import { door, showDoor } from "./door.js";
import { drafts, keepDraft } from "./drafts.js";
import { lookAgain } from "./letters.js";
import { look, toEnd } from "./log.js";
import { isReload, memory } from "./memory.js";
import { moderation, orderRoom } from "./moderation.js";
import { session } from "./session.js";
import { newsTo, sidebar } from "./sidebar.js";
import { come, note, tell } from "./status.js";
import { chooseRoom } from "./switcher.js";
import { doneWriting, typing } from "./typing.js";
import { showTitle, tell as tellOutside, unread } from "./unread.js";
import { askStanding, change, ended, enter, go, mail, offerLeft, out, ready, room, send, showStanding, showToken, turnedAway } from "./visit.js";
import { words } from "./words.js";

composer({
  say: (text, reply) => {
    mail.write({ kind: "chat", text, ...(reply && { reply, epoch: room?.epoch }) });
    doneWriting();
    keepDraft("");
    toEnd();
  },
  save: (seq, text) => change("edit", seq, text),
  last: () => room?.mine,
  marked: (seq) => room && look(room.chat(seq), room),
  note,
});

byId("copy").textContent = words.copy;
byId("copy").addEventListener("click", copyLink);
for (const id of ["leave", "leave-too"]) {
  byId(id).textContent = words.leave;
  byId(id).addEventListener("click", () => {
    mail.desk?.forget();
    out();
    showDoor();
    byId(session.user ? "room" : "name").focus();
  });
}
sidebar(go);
// At once, and not when it has come: what is typed after Ctrl+K is the room.
const choose = () => chooseRoom(go);
byId("find-room").textContent = words.findRoom;
byId("find-room").setAttribute("aria-keyshortcuts", "Control+K Meta+K");
byId("find-room").addEventListener("click", choose);
addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
  if (byId("house").hidden) return;
  event.preventDefault();
  choose();
});
byId("options").textContent = words.options;
byId("options").addEventListener("click", () => come(import("./options.js"), ({ options }) => options()));
unread(() => room);
drafts(draft);
newsTo({
  isMe: (names) => room?.calls(names) ?? false,
  heard: (calls) => {
    showTitle(room);
    for (const place of calls) tellOutside(words.calledIn(place), "", place);
  },
});

completion(() => room);
typing(() => ready && editing() === null, () => send({ type: "typing", room: room?.name }));
byId("about").textContent = words.about;
byId("about").addEventListener("click", () => room && come(import("./about.js"), ({ showAbout }) => room && showAbout(room)));
byId("order-room").addEventListener("click", () => room && orderRoom(room));
// A mute that a moderator lifted in another room is not told here.
byId("message").addEventListener("focus", () => room?.muted && askStanding());
askBy(send);
moderation(() => {
  if (!room) return;
  room.mod = room.modAll = true;
  lookAgain(room);
  showStanding();
});
addEventListener("beforeunload", (event) => mail.isAtRisk && event.preventDefault());

door(enter, arrive);
tidy();
arrival({
  isIn: () => room !== null,
  isKnown: () => ready,
  out,
  learned: () => (room ? showStanding() : offerLeft()),
  refused: turnedAway,
  renewed: (as) => {
    if (!room && ended?.user === as.username) enter(as.username, ended.place, true);
    else if (!room) showDoor();
    else if (ready) showToken();
  },
});
// Whose token it is has to be known first.
if (memory.inside && memory.as && isReload() && (session.user || !session.token)) enter(memory.as, memory.inside, true);
else offerLeft();
arrive();
