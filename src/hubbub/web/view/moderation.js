/**
 * What a moderator can do, in one dialog: to a message, to a person, or to the room. It only asks;
 * the server decides, and what it did is told in the log.
 */

import { byId, el } from "./dom.js";
import { moment } from "./time.js";
import { words } from "./words.js";

/** @typedef {{seq?: number, username: string}} Whom */

const dialog = /** @type {HTMLDialogElement} */ (byId("order"));
const title = byId("order-title");
const body = byId("order-body");
/** @type {(frame: Record<string, unknown>) => void} */
let send = () => {};
/** What the dialog shows now, so that an answer that comes late is not shown in another. */
let shows = "";

/** @param {typeof send} how */
export function orderBy(how) {
  send = how;
  byId("order-close").textContent = words.close;
}

/** @param {string} heading @param {string} what @param {...Node} children */
function open(heading, what, ...children) {
  shows = what;
  title.textContent = heading;
  body.replaceChildren(...children);
  if (!dialog.open) dialog.showModal();
}

/** @param {string} label @param {() => void} act */
function button(label, act) {
  const one = /** @type {HTMLButtonElement} */ (el("button", { class: "quiet", text: label }));
  one.type = "button";
  one.addEventListener("click", () => {
    act();
    dialog.close();
  });
  return one;
}

/** @param {string} id @param {string} label @param {string} type */
function field(id, label, type) {
  const input = /** @type {HTMLInputElement} */ (el("input"));
  input.id = id;
  input.type = type;
  const name = /** @type {HTMLLabelElement} */ (el("label", { text: label }));
  name.htmlFor = id;
  return { input, row: el("p", { class: type === "checkbox" ? "check" : "field" }, name, input) };
}

/**
 * What can be done to someone, or to what they said.
 * @param {Whom} whom
 */
export function orderPerson({ seq, username }) {
  const reason = field("order-reason", words.reason, "text");
  reason.input.maxLength = 200;
  const address = field("order-address", words.address, "checkbox");
  /** @param {string} type @param {object} [more] */
  const act = (type, more) => () => {
    const why = reason.input.value.trim();
    send({ type, ...(seq ? { seq } : { username }), ...(why && type !== "delete" ? { reason: why } : {}), ...more });
  };
  /** @param {object} more */
  const ban = (more) => () => act("ban", { ...more, address: address.input.checked })();
  const messages = seq ? [button(words.remove, act("delete", {}))] : [];
  open(
    words.orderPerson(username), "person",
    reason.row,
    el("div", { class: "acts" }, ...messages, button(words.purge, act("purge"))),
    el("div", { class: "acts" }, ...words.mutes.map(([label, seconds]) => button(label, act("mute", seconds ? { seconds } : {})))),
    el("div", { class: "acts" }, button(words.kick, act("kick")), ...words.bans.map(([label, seconds]) => button(label, ban(seconds ? { seconds } : {})))),
    address.row,
  );
}

/** What can be done to the room, and what holds in it. @param {{slow: number, readOnly: boolean}} mode */
export function orderRoom(mode) {
  open(
    words.orderRoom, "room",
    el("div", { class: "acts" }, ...words.slows.map(([label, seconds]) => {
      const one = button(label, () => send({ type: "slow", seconds }));
      one.setAttribute("aria-pressed", String(mode.slow === seconds));
      return one;
    })),
    el("div", { class: "acts" }, button(mode.readOnly ? words.openRoom : words.closeRoom, () => send({ type: "read_only", on: !mode.readOnly }))),
    el("h3", { text: words.holding }),
    el("ul", { class: "holding" }, el("li", { text: words.older })),
  );
  send({ type: "sanctions" });
}

/** The answer to `sanctions`. @param {{sanctions: any[]}} frame */
export function showHolding({ sanctions }) {
  if (!dialog.open || shows !== "room") return;
  const items = sanctions.map((held) => {
    const lift = button(words.lift, () => send({ type: "pardon", number: held.number }));
    lift.setAttribute("aria-label", `${words.lift}: ${held.username}`);
    return el("li", {}, el("span", { text: words.held(held, held.until ? moment(held.until) : ""), dir: "auto" }), lift);
  });
  body.querySelector(".holding")?.replaceChildren(...(items.length ? items : [el("li", { text: words.nothingHolds })]));
}

/** Become a moderator by the server's password. */
export function orderLogin() {
  const password = field("order-password", words.password, "password");
  password.input.autocomplete = "off";
  const enter = button(words.enter, () => send({ type: "mod", password: password.input.value }));
  enter.className = "primary";
  password.input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    enter.click();
  });
  open(words.moderator, "login", password.row, el("div", { class: "acts" }, enter));
}

byId("order-close").addEventListener("click", () => dialog.close());
