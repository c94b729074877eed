/**
 * Letters on the screen: those that are not in the log stand below it, changes that wait are shown
 * on the messages that they change; and what can be done with each message.
 */

import { orderTool, tools } from "./changes.js";
import { beginEdit, editing } from "./composer.js";
import { dressFrom, look } from "./log.js";
import { orderPerson } from "./moderation.js";
import { showPending } from "./pending.js";

/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../store/mail.js").Mail} Mail */

/** Which change is shown as waiting on which message. @type {Map<number, string>} */
let changing = new Map();

/** @param {Mail} mail @param {Room | null} room */
export function showLetters(mail, room) {
  showPending(mail.letters, (id) => mail.again(id), (id) => mail.discard(id));
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
      if (!room.owns(row)) {
        if (room.mod) orderTool(row, li, (whom) => orderPerson(room, whom));
        return;
      }
      if (row.deleted) return;
      li.classList.toggle("edits", editing() === row.seq);
      tools(row, li, beginEdit, () => change("delete", row.seq, ""));
    },
  });
}

/** Show all messages anew: what can be done with them is another thing now. @param {Room} room */
export function lookAgain(room) {
  for (const row of room.rows) if (row.kind === "chat") look(row, room);
}
