/** Being a moderator: whether one is, and the dialogs of `orders.js`, which few ever open. */

import { ask } from "./asking.js";
import { byId } from "./dom.js";
import { come } from "./status.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */

/** Given once, and shown to each new socket while this tab lives; it is kept nowhere else. */
let password = "";
/** @type {() => void} */
let risen = () => {};
/** Marks the modes that hold, in the dialog about the room. */
let marks = () => {};

/** @param {typeof risen} on one is a moderator now */
export function moderation(on) {
  risen = on;
  byId("order-login").textContent = words.moderator;
  byId("order-login").addEventListener("click", () => come(import("./orders.js"), ({ askPassword }) => askPassword(rose)));
  byId("order-room").textContent = words.orderRoom;
}

/** @param {string} given */
function rose(given) {
  password = given;
  risen();
}

/** @param {Room} room @param {import("./orders.js").Whom} whom */
export const orderPerson = (room, whom) => come(import("./orders.js"), (orders) => orders.orderPerson(room, whom));

/** @param {Room} room */
export const orderRoom = (room) => come(import("./orders.js"), (orders) => orders.orderRoom(room, (on) => (marks = on)));

/** The room's modes are others. */
export const showModes = () => marks();

/** The room has us: whoever gave the password is a moderator on this socket, too. @param {Room} room */
export function stillModerator(room) {
  if (!password || room.modAll) return;
  ask({ type: "mod", password }, (answer) => {
    if (answer.type === "ok") risen();
    else if (answer.retry_after !== undefined) window.setTimeout(() => stillModerator(room), answer.retry_after * 1000);
    else password = ""; // it is another one by now
  });
}
