/** The rooms beside the room: those one was in with what is new there, and others to go to. */

import { Rooms } from "../model/rooms.js";
import { ask } from "./asking.js";
import { byId, el } from "./dom.js";
import { drawer } from "./drawer.js";
import { onElsewhere, recall, write } from "./memory.js";
import { session } from "./session.js";
import { words } from "./words.js";

/** @typedef {import("../model/rooms.js").Entry} Entry */

/** How often the list of rooms is asked for while one looks, in ms. */
const EVERY = 60_000;
/** How long what is known may wait to be kept, in ms. */
const LATER = 500;
/** How long what was read is gathered before it is told, in ms. */
const TELL = 500;

const list = byId("room-list");
const others = byId("other-rooms");
const toggle = byId("rooms-button");
const slide = drawer(toggle, "rooms-open");
export const rooms = new Rooms(sound(recall(key())));
/** @type {(place: string) => void} */
let go = () => {};
let timer = 0;
let keeping = 0;

/** @param {unknown} found @returns {import("../model/rooms.js").Kept[]} */
function sound(found) {
  return Array.isArray(found) ? found.filter((one) => typeof one?.name === "string") : [];
}

// What was read in another tab is read in this one, too, and not to be undone by what this one keeps.
onElsewhere(key, share);

/** Each user of this browser has their own. */
function key() {
  return session.user ? `rooms ${session.user}` : "rooms";
}

/** @param {unknown} now */
function share(now) {
  const before = names();
  rooms.share(sound(now));
  if (rooms.here && names() !== before) follow();
  draw(); // and keep nothing: two tabs would answer each other for ever
  heard([]);
}

const names = () => JSON.stringify(rooms.all.map(({ name }) => name));

/** @param {(place: string) => void} to how one goes to a room */
export function sidebar(to) {
  go = to;
  byId("rooms-title").textContent = words.rooms;
  byId("others-title").textContent = words.otherRooms;
  toggle.textContent = words.rooms;
  document.addEventListener("visibilitychange", () => document.hidden || look());
  addEventListener("pagehide", () => keeping && keep());
}

/** The server has us: it tells of news from now on. */
export function beginNews() {
  rooms.share(sound(recall(key())));
  tellAll();
  follow();
  look();
}

function follow() {
  ask({ type: "follow", rooms: rooms.all.map(({ name }) => name) }, hearNews);
}

/** Which rooms are there? */
function look() {
  clearTimeout(timer);
  if (!rooms.here) return;
  timer = window.setTimeout(look, EVERY);
  if (document.hidden) return;
  survey({}, true);
  if (session.user) survey({ mine: true }, false);
}

/** @param {{rooms?: string[], mine?: boolean, after?: string}} which @param {boolean} all */
function survey(which, all) {
  ask({ type: "rooms", ...which }, (frame) => {
    if (frame.type !== "rooms") return;
    const before = rooms.all.length;
    rooms.list(frame, all);
    if (rooms.all.length > before) follow(); // as a user one was there, by another machine
    showRooms();
    heard([]);
    const after = which.mine && frame.more && frame.rooms.at(-1)?.room;
    if (after) survey({ mine: true, after }, false);
  });
}

/** How far it was told last that one has read, and where. */
let told = "";
/** What is to be told, by room. @type {Map<string, number>} */
const unsaid = new Map();

/** A user has read up to here: the server tells their other machines. @param {string} room @param {number} seq */
export function tellRead(room, seq) {
  if (!session.user || told === `${seq} ${room}`) return;
  told = `${seq} ${room}`;
  unsaid.set(room, seq);
  telling ||= window.setTimeout(tellAll, TELL);
}

let telling = 0;

/** Tell it, and again with the next welcome where there was no answer. */
function tellAll() {
  telling = 0;
  for (const [room, seq] of unsaid) {
    ask({ type: "read", room, seq }, ({ retry_after }) => {
      if (retry_after === undefined && unsaid.get(room) === seq) unsaid.delete(room);
    });
  }
}

/** @param {any} frame `read`, of one's own or of another machine of one's */
export function hearRead({ room, seq }) {
  if (rooms.readElsewhere(room, seq)) survey({ rooms: [room] }, false);
  showRooms();
  heard([]);
}

/** One is in no room. */
export function endNews() {
  clearTimeout(timer);
  rooms.here = "";
  slide(false);
}

/** @type {(names: string[]) => boolean} */
let isMe = () => false;
/** @type {(calls: string[]) => void} */
let heard = () => {};

/** @param {{isMe: typeof isMe, heard: typeof heard}} on `heard`: there is news, and words to one in these rooms */
export function newsTo(on) {
  ({ isMe, heard } = on);
}

/** @param {any} frame `news` */
export function hearNews(frame) {
  if (frame.type !== "news") return;
  const calls = rooms.hear(frame, isMe);
  showRooms();
  heard(calls);
}

/** Keep what is known, soon: each message changes it, and a browser writes slowly. */
export function keepRooms() {
  keeping ||= window.setTimeout(keep, LATER);
}

function keep() {
  clearTimeout(keeping);
  keeping = 0;
  rooms.share(sound(recall(key()))); // a tab that stood still has not heard of it
  write(key(), JSON.stringify(rooms.kept));
}

/** Keep and show what is known. */
export function showRooms() {
  keepRooms();
  draw();
}

let drawn = "";

function draw() {
  const picture = JSON.stringify([rooms.here, rooms.all, rooms.others], (at, one) => (at === "seen" || at === "head" ? undefined : one));
  if (picture === drawn) return;
  drawn = picture;
  const focused = document.activeElement?.getAttribute("data-room");
  list.replaceChildren(...rooms.all.map((entry) => item(entry, true)));
  others.replaceChildren(...rooms.others.map((entry) => item(entry, false)));
  byId("others-title").hidden = rooms.others.length === 0;
  const elsewhere = rooms.all.filter(({ name, unread }) => unread && name !== rooms.here);
  toggle.classList.toggle("news", elsewhere.length > 0);
  toggle.setAttribute("aria-label", elsewhere.length ? words.roomsWithNews(elsewhere.length) : words.rooms);
  if (focused) /** @type {HTMLElement | null} */ (document.querySelector(`[data-room="${CSS.escape(focused)}"]`))?.focus();
}

/** @param {Entry} entry @param {boolean} known */
function item(entry, known) {
  const { name, unread, mentions, topic, count } = entry;
  const link = /** @type {HTMLAnchorElement} */ (el("a", { class: unread ? "room news" : "room" }, el("span", { text: name, dir: "auto" })));
  const to = new URL(location.href);
  to.searchParams.set("room", name);
  link.href = to.href;
  link.title = topic || name;
  link.dataset.room = name;
  if (name === rooms.here) link.setAttribute("aria-current", "page");
  if (mentions) link.append(badge(`@${mentions}`, words.mentions(mentions), "badge called"));
  else if (unread) link.append(badge(unread > 99 ? "99+" : String(unread), words.unread(unread), "badge"));
  else if (!known) link.append(badge(String(count), words.inside(count), "you"));
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab
    event.preventDefault();
    slide(false);
    go(name);
  });
  const li = el("li", {}, link);
  if (known && name !== rooms.here) li.append(forget(name));
  return li;
}

/** @param {string} text @param {string} aloud @param {string} look */
function badge(text, aloud, look) {
  const one = el("span", { class: look, text });
  one.setAttribute("aria-hidden", "true");
  return el("span", {}, one, el("span", { class: "unseen", text: aloud }));
}

/** @param {string} name */
function forget(name) {
  const one = el("button", { class: "small forget", text: "×" });
  one.setAttribute("aria-label", words.forgetRoom(name));
  one.title = words.forgetRoom(name);
  one.addEventListener("click", () => {
    rooms.forget(name, Date.now());
    keep();
    beginNews();
    showRooms();
    byId("find-room").focus();
  });
  return one;
}
