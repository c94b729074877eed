import { byId, el } from "./dom.js";
import { memory } from "./memory.js";
import { words } from "./words.js";

const name = byId("name");
const room = byId("room");
const stopped = byId("stopped");

/** @param {HTMLInputElement} field @param {string} what */
function trouble(field, what) {
  byId(`${field.id}-trouble`).textContent = what;
  if (what) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/** Whether the name is known already, by a token. */
let known = false;

byId("retry").textContent = words.retry;

/**
 * What is known of who stands here: a user, by the name that others see; "" for who has to give one.
 * @param {string} shown
 * @param {boolean} [shut] nobody can come in like this
 */
export function recognise(shown, shut = false) {
  known = shown !== "";
  byId("name-field").hidden = known || shut;
  byId("room-field").hidden = byId("enter").hidden = byId("lead").hidden = shut;
  byId("retry").hidden = !shut;
  byId("lead").textContent = known ? words.welcomeBack(shown) : words.lead;
}

/**
 * The form that asks for a name and a room.
 * @param {(name: string, room: string) => void} enter
 * @param {() => void} retry
 */
export function door(enter, retry) {
  name.value = memory.name;
  room.value = new URL(location.href).searchParams.get("room") || memory.room || "general";
  (name.value ? byId("enter") : name).focus();
  for (const field of [name, room]) field.addEventListener("input", () => trouble(field, ""));
  byId("retry").addEventListener("click", retry);
  byId("join").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    if (byId("enter").hidden) return;
    const named = known || name.value.trim() !== "";
    trouble(name, named ? "" : words.unnamed);
    trouble(room, room.value.trim() ? "" : words.unplaced);
    if (!named) name.focus();
    else if (!room.value.trim()) room.focus();
    else enter(name.value.trim(), room.value.trim());
  });
}

/** @param {boolean} busy */
export function waitAtDoor(busy) {
  byId("enter").disabled = busy;
}

/**
 * Show the form again, with what went wrong beside the field that it is about.
 * @param {{message: string, about?: "name" | "room"}} [problem]
 */
export function showDoor(problem) {
  byId("house").hidden = true;
  byId("door").hidden = false;
  waitAtDoor(false);
  const field = problem?.about === "room" ? room : problem?.about === "name" && !known ? name : null;
  const message = problem && !field ? problem.message : "";
  if (stopped.textContent !== message) stopped.textContent = message;
  stopped.hidden = message === "";
  trouble(name, "");
  trouble(room, "");
  if (!problem || !field) return;
  trouble(field, problem.message);
  field.focus();
  field.select();
}

/**
 * Letters that nobody sends, because the tab in which they were written is gone: whoever joins there
 * under that name sends them.
 * @param {{room: string, name: string, count: number}[]} left
 */
export function showLeft(left) {
  byId("left").replaceChildren(
    ...left.map((one) => {
      const go = el("button", { class: "small", text: words.goOnAs(one.name) });
      /** @type {HTMLButtonElement} */ (go).type = "button";
      go.addEventListener("click", () => {
        if (!known) name.value = one.name;
        room.value = one.room;
        byId("join").requestSubmit();
      });
      return el("li", {}, el("p", { text: words.leftBehind(one.count, one.room), dir: "auto" }), go);
    }),
  );
}

export function hideDoor() {
  byId("door").hidden = true;
  byId("house").hidden = false;
}
