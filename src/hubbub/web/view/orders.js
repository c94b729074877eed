/**
 * What a moderator can do: a dialog about a person (or a message of theirs), one about the room, and
 * one that takes the password. All is asked of the server, and its answer is told.
 */

import { ask } from "./asking.js";
import { button, choice, field, group, open, whenClosed } from "./dialog.js";
import { el } from "./dom.js";
import { tell } from "./status.js";
import { until } from "./time.js";
import { words } from "./words.js";

/** @typedef {import("../model/room.js").Room} Room */
/** @typedef {{type: string, [field: string]: unknown}} Act */
/** @typedef {{username: string, name?: string, seq?: number, text?: string, deleted?: boolean}} Whom a person, or a message */

/** So much of a message tells it from others. */
const QUOTED = 140;

/** @param {any} error */
const told = (error) => words.notDone[error.code] ?? error.message;

/** @param {(given: string) => void} rose it is the right one: one is a moderator now */
export function askPassword(rose) {
  const secret = field(words.password, "password");
  const go = /** @type {HTMLButtonElement} */ (el("button", { class: "primary", text: words.enter }));
  const form = /** @type {HTMLFormElement} */ (el("form", {}, secret.row, go));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const given = secret.input.value;
    ask({ type: "mod", password: given }, (answer) => {
      if (answer.type !== "ok") return dialog.fail(answer.code === "forbidden" ? words.wrongPassword : told(answer));
      dialog.close();
      rose(given);
      tell(words.risen);
    });
  });
  const dialog = open(words.moderator, form);
  secret.input.focus();
}

/**
 * What can be done about someone, or about a message of theirs.
 * @param {Room} room @param {Whom} whom
 */
export function orderPerson(room, { username, name = username, seq, text = "", deleted = false }) {
  const reason = field(words.reason, "text");
  reason.input.maxLength = 200;
  const term = choice(words.howLong, words.terms, 3600);
  const where = choice(words.where, [[words.thisRoom, 0], [words.everywhere, 1]], 0);
  const address = field(words.address, "checkbox");
  /** @param {string} type */
  const act = (type) => () => {
    const why = reason.input.value.trim();
    /** @type {Act} */
    const asks = { type, room: room.name, ...(seq ? { seq } : { username }) };
    if (why && type !== "delete") asks.reason = why;
    if (type === "mute" || type === "ban") {
      if (Number(term.select.value)) asks.seconds = Number(term.select.value);
      if (Number(where.select.value)) asks.everywhere = true;
    }
    if (type === "ban" && address.input.checked) asks.address = true;
    dialog.close();
    ask(asks, (answer) => tell(answer.type === "error" ? told(answer) : words.done));
  };
  const quote = text ? [el("blockquote", { text: text.slice(0, QUOTED), dir: "auto" })] : [];
  const one = seq && !deleted ? [button(words.deleteOne, act("delete"))] : [];
  const ban = button(words.ban, act("ban"));
  ban.classList.add("grave");
  const acts = el("div", { class: "choices" }, button(words.mute, act("mute")), button(words.kick, act("kick")), ban);
  const dialog = open(
    words.orderPerson(name),
    ...quote,
    reason.row,
    group(words.messages, ...one, button(words.purge, act("purge"))),
    el("div", { class: "pair" }, term.row, ...(room.modAll ? [where.row] : [])),
    address.row,
    acts,
    el("p", { class: "hint", text: words.kickHint }),
  );
}

/**
 * The room's modes, and what holds in it.
 * @param {Room} room @param {(marks: () => void) => void} mark is given what shows the modes that hold
 */
export function orderRoom(room, mark) {
  const list = el("ul", { class: "holding" }, el("li", { text: words.older }));
  list.tabIndex = -1;
  /** @param {Act} act */
  const act = (act) => () =>
    ask({ room: room.name, ...act }, (answer) => {
      if (answer.type === "error") dialog.fail(told(answer));
      else dialog.say(words.done);
      if (act.type === "pardon") refresh();
    });
  const refresh = () =>
    ask({ type: "sanctions", room: room.name }, (answer) => {
      if (answer.type === "error") return dialog.fail(told(answer));
      const had = list.contains(document.activeElement);
      list.replaceChildren(...answer.sanctions.map(item));
      if (!answer.sanctions.length) list.append(el("li", { text: words.nothingHolds }));
      if (had) list.focus();
    });
  /** @param {any} held */
  const item = (held) => {
    const lift = button(words.lift, act({ type: "pardon", number: held.number }), `${words.lift}: ${held.username}`);
    return el("li", {}, el("span", { text: words.held(held, until(held.until)), dir: "auto" }), lift);
  };
  const paces = words.slows.map(([label, seconds]) => button(label, act({ type: "slow", seconds })));
  const writers = [false, true].map((on) => button(on ? words.moderators : words.everyone, act({ type: "read_only", on })));
  const marks = () => {
    words.slows.forEach(([, seconds], at) => paces[at].setAttribute("aria-pressed", String(room.slow === seconds)));
    writers.forEach((one, at) => one.setAttribute("aria-pressed", String(room.readOnly === (at === 1))));
  };
  marks();
  mark(marks);
  const dialog = open(
    words.orderRoom,
    group(words.pace, ...paces),
    group(words.whoWrites, ...writers),
    el("h3", { text: words.holding }),
    list,
  );
  whenClosed(() => mark(() => {}));
  refresh();
}
