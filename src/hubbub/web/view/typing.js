/** Who is writing, and telling the others that one is. */

import { Writers } from "../model/talk.js";
import { byId } from "./dom.js";
import { markWriters } from "./people.js";
import { words } from "./words.js";

/** The server passes on no more than one sign in so many ms. */
const EVERY = 3000;
/** So many are named; more are only many. */
const NAMED = 3;

const line = byId("typing");
const writers = new Writers();
let timer = 0;
let told = 0;

/** @param {import("../model/room.js").Room} room */
function show(room) {
  clearTimeout(timer);
  const others = writers.at(Date.now()).filter((name) => name !== room.me);
  const names = others.map((name) => room.names.get(name) ?? name);
  markWriters(others);
  const text = names.length > NAMED ? words.manyWrite : words.writing(names);
  if (line.textContent !== text) line.textContent = text;
  if (names.length) timer = window.setTimeout(() => show(room), 1000);
}

/** @param {any} frame @param {import("../model/room.js").Room} room */
export function hearWriters(frame, room) {
  if (writers.hear(frame, Date.now())) show(room);
}

export function nobodyWrites() {
  clearTimeout(timer);
  writers.clear();
  line.textContent = "";
  markWriters([]);
  told = 0;
}

/** @param {() => boolean} may whether there is someone to tell @param {() => void} tell */
export function typing(may, tell) {
  const box = byId("message");
  box.addEventListener("input", () => {
    if (!box.value.trim() || !may() || Date.now() - told < EVERY) return;
    told = Date.now();
    tell();
  });
}

/** What was written is said: the next word is news again. */
export function doneWriting() {
  told = 0;
}
