/** Dialogs about what was said: a message's thread, and what the room is about with what is pinned in it. */

import { ask } from "./asking.js";
import { button, field, group, open } from "./dialog.js";
import { el } from "./dom.js";
import { said } from "./markup.js";
import { nameIn } from "./row.js";
import { jump, pin, told } from "./talk.js";
import { clock } from "./time.js";
import { nameOf } from "./tools.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */

/** A message and what was answered to it. @param {number} seq @param {Room} room @param {(row: any) => void} [answer] */
export function showThread(seq, room, answer) {
  const list = el("ol", { class: "thread" });
  const more = el("div", { class: "choices" });
  const dialog = open(words.thread, list, more);
  /** @param {number} [before] */
  const load = (before) =>
    ask({ type: "thread", room: room.name, seq, ...(before && { before }) }, (found) => {
      if (found.type === "error") return dialog.fail(told(found));
      const [first, ...replies] = found.events.map((/** @type {any} */ event) => entry(event, room));
      if (!before) list.append(first);
      list.firstElementChild?.after(...replies);
      const older = found.more ? [button(words.olderReplies, () => load(found.events[1].seq))] : [];
      const [about] = found.events;
      const reply = answer && !about.deleted ? [button(words.reply, () => (dialog.close(), answer(about)))] : [];
      more.replaceChildren(...older, ...reply);
      if (!before && !replies.length) dialog.say(words.noReplies);
    });
  load();
}

/** @param {any} event @param {Room} room */
function entry(event, room) {
  const text = event.deleted ? el("div", { class: "said gone", text: words.deleted }) : said(event.text, event.mentions);
  return el("li", {}, el("p", { class: "by" }, nameIn(event), clock(event.ts)), el("div", { class: "text", dir: "auto" }, text));
}

/** What the room is about, and what is pinned. @param {Room} room */
export function showAbout(room) {
  const { topic, description, pins } = room.about;
  const parts = [];
  if (topic) parts.push(el("p", { class: "told-topic", text: topic, dir: "auto" }));
  if (description) parts.push(el("div", { class: "text", dir: "auto" }, said(description)));
  if (!topic && !description) parts.push(el("p", { class: "hint", text: words.noTopic }));
  const list = el("ol", { class: "thread" });
  const none = el("p", { class: "hint", text: words.noPins });
  parts.push(el("h3", { text: words.pins }), pins.length ? list : none);
  if (room.mod) parts.push(group(words.orderRoom, button(words.editTopic, () => editTopic(room))));
  const dialog = open(room.name, ...parts);
  list.append(...pins.map(() => el("li")));
  [...list.children].forEach((item, at) => {
    const seq = pins[at];
    const show = (/** @type {any} */ event) => {
      const shown = entry(event, room);
      const away = () => {
        shown.remove();
        if (!list.children.length) list.replaceWith(none);
      };
      item.replaceWith(shown);
      // What is deleted says nothing any more; a moderator can make room for another pin.
      if (event.deleted && !room.mod) return away();
      const off = () => (pin(seq, room), away());
      const to = event.deleted ? button(words.unpin, off) : button(words.goThere, () => (dialog.close(), jump(seq, room)), nameOf(words.goThere, event));
      shown.append(to);
    };
    const row = room.chat(seq);
    if (row) show(row);
    else {
      ask({ type: "thread", room: room.name, seq, limit: 1 }, (found) =>
        found.type === "error" ? (item.textContent = told(found)) : show(found.events[0]));
    }
  });
}

/** @param {Room} room */
function editTopic(room) {
  const topic = field(words.topic, "text");
  topic.input.value = room.about.topic;
  topic.input.maxLength = 200;
  const about = field(words.description, "text");
  about.input.value = room.about.description;
  about.input.maxLength = 1000;
  const form = el("form", {}, topic.row, about.row);
  const save = button(words.save, () => {});
  save.type = "submit";
  save.className = "primary";
  form.append(save);
  const dialog = open(words.editTopic, form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const frame = { type: "topic", room: room.name, topic: topic.input.value, description: about.input.value };
    ask(frame, (answer) => (answer.type === "error" ? dialog.fail(answer.message) : dialog.close()));
  });
  topic.input.focus();
}
