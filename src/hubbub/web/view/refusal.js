/** What the server refuses, in words that a person knows; its own are for what has none here. */

import { until } from "./time.js";
import { words } from "./words.js";

/**
 * @typedef {{code: string, message: string, until?: number, room?: string, reason?: string,
 *   everywhere?: boolean}} Refusal
 */

/**
 * Why a letter was not sent, or a change not made.
 * @param {import("../model/outbox.js").Letter} letter
 */
export function whyNot({ kind, code = "", why = "", until: end, reason }) {
  if (code === "muted") return words.muted(until(end), reason);
  if (code === "forbidden" && kind === "chat") return words.refusals.reads;
  return words.refusals[code] ?? why;
}

/**
 * Why one stands at the door (again), and which field it is about.
 * @param {Refusal} error
 * @returns {{message: string, about?: "name" | "room"}}
 */
export function atDoor({ code, message, until: end, room, reason, everywhere = false }) {
  const about = message.startsWith("room ") && code !== "empty_name" ? "room" : "name";
  switch (code) {
    case "kicked":
      return { message: words.kicked(reason) };
    case "banned":
      return { message: words.banned(everywhere, until(end), reason) };
    case "name_taken":
      return room === undefined ? { message: words.taken, about } : { message: words.takenByUser };
    case "forbidden":
      return { message: message.includes("token does not let you into") ? words.noEntry : message };
    case "bad_name":
      return { message: words.badName[about], about };
    case "too_long":
    case "empty_name":
      return { message, about };
    default:
      return { message };
  }
}
