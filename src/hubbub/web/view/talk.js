/** Answers, threads, links to messages, and what the room is about. */

import { ask } from "./asking.js";
import { copyText } from "./copy.js";
import { button, field, group, open } from "./dialog.js";
import { byId, el } from "./dom.js";
import { reveal } from "./log.js";
import { said } from "./markup.js";
import { seek } from "./older.js";
import { nameIn } from "./row.js";
import { note, tell } from "./status.js";
import { clock } from "./time.js";
import { nameOf } from "./tools.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {import("../model/room.js").ChatRow} ChatRow */

/** Further back than this a message is shown by itself: so much is not loaded for one look. */
const FAR = 1000;

/** @param {any} error */
const told = (error) => (error.code === "not_found" ? words.notThere : error.message);

/** Go to a message, or show it where it is too far up. @param {number} seq @param {Room} room */
export function jump(seq, room) {
  const row = room.chat(seq);
  if (row) reveal(row);
  else if (room.begins || seq > room.seq || room.seq - seq > FAR) showThread(seq, room);
  else seek(seq, (found) => (found ? reveal(found) : showThread(seq, room)));
}

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

/** Where a message is found. @param {number} seq */
export function copyMessageLink(seq) {
  const link = new URL(location.href);
  link.hash = String(seq);
  copyText(link.href).then(() => tell(words.linkCopied));
}

/** The message that the address names, once. */
export function named() {
  const seq = /^#(\d{1,15})$/.exec(location.hash)?.[1];
  if (seq) history.replaceState(null, "", location.pathname + location.search);
  return seq ? Number(seq) : 0;
}

/** @param {number} seq @param {string} emoji @param {boolean} on @param {Room} room */
export function react(seq, emoji, on, room) {
  ask({ type: "react", room: room.name, seq, emoji, on }, (answer) => {
    if (answer.type === "error") tell(words.patience[answer.code] ?? told(answer));
  });
}

/** @param {number} seq @param {Room} room */
export function pin(seq, room) {
  const on = !room.about.pins.includes(seq);
  ask({ type: "pin", room: room.name, seq, on }, (answer) => answer.type === "error" && note(told(answer)));
}

/** The topic under the room's name. @param {Room} room */
export function showTopic(room) {
  const line = byId("topic");
  if (line.textContent !== room.about.topic) line.textContent = line.title = room.about.topic;
}

/** What the room is about, and what is pinned. @param {Room} room */
export function showAbout(room) {
  const { topic, description, pins } = room.about;
  const parts = [];
  if (topic) parts.push(el("p", { class: "told-topic", text: topic, dir: "auto" }));
  if (description) parts.push(el("div", { class: "text", dir: "auto" }, said(description)));
  if (!topic && !description) parts.push(el("p", { class: "hint", text: words.noTopic }));
  const list = el("ol", { class: "thread" });
  parts.push(el("h3", { text: words.pins }), pins.length ? list : el("p", { class: "hint", text: words.noPins }));
  if (room.mod) parts.push(group(words.orderRoom, button(words.editTopic, () => editTopic(room))));
  const dialog = open(room.name, ...parts);
  for (const seq of pins) {
    const item = el("li");
    list.append(item);
    const show = (/** @type {any} */ event) => {
      const to = button(words.goThere, () => (dialog.close(), jump(seq, room)), nameOf(words.goThere, event));
      const shown = entry(event, room);
      shown.append(to);
      item.replaceWith(shown);
    };
    const row = room.chat(seq);
    if (row) show(row);
    else {
      ask({ type: "thread", room: room.name, seq, limit: 1 }, (found) =>
        found.type === "error" ? (item.textContent = told(found)) : show(found.events[0]));
    }
  }
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
