/**
 * Letters on the screen: those that are not in the log stand below it, changes that wait are shown
 * on the messages that they change; and what can be done with each message.
 */

import { remover } from "./changes.js";
import { beginEdit, beginReply, editing } from "./composer.js";
import { button, open } from "./dialog.js";
import { el } from "./dom.js";
import { dressFrom, look } from "./log.js";
import { orderPerson } from "./moderation.js";
import { showPending } from "./pending.js";
import { come } from "./status.js";
import { copyMessageLink, jump, pin, react, thread } from "./talk.js";
import { equip, nameOf } from "./tools.js";
import { isFirstNew } from "./unread.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../model/room.js").ChatRow} ChatRow */
/** @typedef {import("../store/mail.js").Mail} Mail */
/** @typedef {import("./tools.js").Tool} Tool */

/** Which change is shown as waiting on which message. @type {Map<number, string>} */
let changing = new Map();

/** @param {Mail} mail @param {Room | null} room */
export function showLetters(mail, room) {
  showPending(mail.letters, room, (id) => mail.again(id), (id) => mail.discard(id));
  const before = changing;
  changing = new Map();
  for (const { seq, state, id } of mail.letters) if (seq && state !== "failed") changing.set(seq, id);
  for (const seq of new Set([...before.keys(), ...changing.keys()])) {
    if (room && before.get(seq) !== changing.get(seq)) look(room.chat(seq), room);
  }
}

/**
 * @param {Mail} mail @param {() => Room | null} here
 * @param {(kind: "edit" | "delete", seq: number, text: string) => void} change
 */
export function dress(mail, here, change) {
  dressFrom({
    waits: (row) => {
      const id = changing.get(row.seq);
      return id ? mail.letters.find((letter) => letter.id === id && letter.epoch === here()?.epoch) : undefined;
    },
    dress: (row, li) => {
      const room = here();
      if (!room) return;
      li.classList.toggle("mine", room.owns(row) && !row.deleted);
      if (!row.deleted) li.classList.toggle("edits", editing() === row.seq);
      if (row.deleted && !keeps(row, room)) return;
      equip(row, li, (bar) => {
        /** @type {Tool[]} */
        const own = room.owns(row) ? [remover(row, li, bar, () => offered(), () => change("delete", row.seq, ""))] : [];
        const offered = () => offers(row, room, own);
        return offered();
      });
    },
    react: (row, emoji, on) => {
      const room = here();
      if (room) react(row.seq, emoji, on, room);
    },
    isFirstNew,
    jump: (seq) => {
      const room = here();
      if (room) jump(seq, room);
    },
  });
}

/** Whether one keeps order over a message. @param {ChatRow} row @param {Room} room */
const keeps = (row, room) => room.mod && !room.owns(row);

/**
 * What can be done with a message.
 * @param {ChatRow} row @param {Room} room @param {Tool[]} remove on one's own
 * @returns {Tool[]}
 */
function offers(row, room, remove) {
  /** @type {Tool[]} */
  const keeping = keeps(row, room) ? [{ label: words.order, name: nameOf(words.orderPerson(row.name ?? row.username), row), act: () => orderPerson(room, row) }] : [];
  if (row.deleted) return keeping;
  const speaks = room.silence(Date.now()) === null;
  /** @type {Tool[]} */
  const answers = [
    { label: words.react, key: "+", act: () => choose(row, room) },
    { label: words.reply, key: "r", act: () => beginReply(row) },
  ];
  /** @type {Tool[]} */
  const own = room.owns(row) ? [{ label: words.edit, key: "e", act: () => beginEdit(row) }, ...remove] : [];
  return [...(speaks ? answers : []), ...own, ...keeping, { label: words.more, key: "m", act: () => more(row, room) }];
}

/** Put an emoji on a message. @param {ChatRow} row @param {Room} room */
const choose = (row, room) =>
  come(import("./emoji.js"), ({ pick }) => pick(words.react, (emoji) => react(row.seq, emoji, true, room)));

/** What is done more seldom. @param {ChatRow} row @param {Room} room */
function more(row, room) {
  /** @type {(() => void)} */
  let close = () => {};
  const does = (/** @type {string} */ label, /** @type {() => void} */ act) => button(label, () => (close(), act()));
  const pinned = room.about.pins.includes(row.seq);
  const choices = [
    does(words.copyLink, () => copyMessageLink(row.seq)),
    does(words.thread, () => thread(row.reply?.seq ?? row.seq, room, beginReply)),
    ...(room.mod ? [does(pinned ? words.unpin : words.pin, () => pin(row.seq, room))] : []),
  ];
  ({ close } = open(words.more, el("blockquote", { text: row.text.slice(0, 140), dir: "auto" }), el("div", { class: "choices" }, ...choices)));
}

/** Show all messages anew: what can be done with them is another thing now. @param {Room} room */
export function lookAgain(room) {
  for (const row of room.rows) if (row.kind === "chat") look(row, room);
}
