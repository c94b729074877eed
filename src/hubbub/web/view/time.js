import { words } from "./words.js";

const short = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const brief = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

/**
 * A time of day in the reader's way, the whole date on hover.
 * @param {number} ts Unix ms
 */
export function clock(ts) {
  const date = new Date(ts);
  const time = document.createElement("time");
  time.dateTime = date.toISOString();
  time.textContent = short.format(date);
  return time;
}

document.addEventListener("pointerover", ({ target }) => {
  if (target instanceof HTMLTimeElement && !target.title) target.title = moment(Date.parse(target.dateTime));
});

/**
 * The whole date and time, in the reader's way.
 * @param {number} ts Unix ms
 */
export const moment = (ts) => full.format(new Date(ts));

/** A time in few words: today by the clock alone. @param {number} ts Unix ms */
export function when(ts) {
  const date = new Date(ts);
  return (date.toDateString() === new Date().toDateString() ? short : brief).format(date);
}

/** Until when something holds, in words; without an end for ever. @param {number} [ts] Unix ms */
export const until = (ts) => (ts ? words.until(when(ts)) : words.forEver);

/** @param {number} ts Unix ms */
export function dayName(ts) {
  const date = new Date(ts);
  const now = new Date();
  if (date.toDateString() === now.toDateString()) return words.today;
  now.setDate(now.getDate() - 1);
  if (date.toDateString() === now.toDateString()) return words.yesterday;
  return (date.getFullYear() === new Date().getFullYear() ? day : dayOfYear).format(date);
}
