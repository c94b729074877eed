/** Whether one may speak in the room: the composer says why not, and frees itself when that ends. */

import { silence } from "./composer.js";
import { until } from "./time.js";
import { words } from "./words.js";

/** A timer takes no more, in ms. */
const LONGEST = 2 ** 31 - 1;
let timer = 0;

/** @param {import("../model/room.js").Room | null} room null: one is in none */
export function showSpeech(room) {
  clearTimeout(timer);
  const now = Date.now();
  const code = room?.silence(now) ?? null;
  const { until: end, reason } = room?.muted ?? {};
  const slow = room && room.slow && !room.mod ? words.slowBox(room.slow) : words.write;
  silence(code && words.silent[code](until(end), reason), slow);
  if (room && code === "muted" && end) timer = window.setTimeout(() => showSpeech(room), Math.min(end - now + 50, LONGEST));
}
