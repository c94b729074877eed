import { byId } from "./dom.js";
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

/**
 * The form that asks for a name and a room.
 * @param {(name: string, room: string) => void} enter
 */
export function door(enter) {
  name.value = memory.name;
  room.value = new URL(location.href).searchParams.get("room") || memory.room || "general";
  (name.value ? byId("enter") : name).focus();
  for (const field of [name, room]) field.addEventListener("input", () => trouble(field, ""));
  byId("join").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    trouble(name, name.value.trim() ? "" : words.unnamed);
    trouble(room, room.value.trim() ? "" : words.unplaced);
    if (!name.value.trim()) name.focus();
    else if (!room.value.trim()) room.focus();
    else enter(name.value.trim(), room.value.trim());
  });
}

/** Who has a token need not say a name. @param {string} shown */
export function knownAtDoor(shown) {
  name.closest(".field").hidden = Boolean(shown);
  if (shown) name.value = shown;
  byId("lead").textContent = shown ? words.welcomeBack(shown) : words.lead;
}

/** @param {boolean} busy */
export function waitAtDoor(busy) {
  byId("enter").disabled = busy;
}

/**
 * Show the form again, with what went wrong beside the field that it is about.
 * @param {{code?: string, message: string}} [problem]
 */
export function showDoor(problem) {
  byId("house").hidden = true;
  byId("door").hidden = false;
  waitAtDoor(false);
  stopped.hidden = true;
  trouble(name, "");
  trouble(room, "");
  if (!problem) return;
  if (problem.code === undefined || !!["name_taken", "bad_name", "too_long", "empty_name"].includes(problem.code) || name.closest(".field").hidden) {
    stopped.textContent = problem.message;
    stopped.hidden = false;
    return;
  }
  const field = problem.message.startsWith("room ") && problem.code !== "empty_name" ? room : name;
  trouble(field, problem.message);
  field.focus();
  field.select();
}

export function hideDoor() {
  byId("door").hidden = true;
  byId("house").hidden = false;
}
