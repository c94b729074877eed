import { hue } from "../model/text.js";
import { byId, el } from "./dom.js";
import { words } from "./words.js";

const toggle = byId("people-button");
byId("people-title").textContent = words.people;

/** @param {boolean} open */
function drawer(open) {
  document.body.classList.toggle("side-open", open);
  toggle.setAttribute("aria-expanded", String(open));
}

toggle.addEventListener("click", () => drawer(toggle.getAttribute("aria-expanded") !== "true"));
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) drawer(false);
});
byId("scroll").addEventListener("pointerdown", () => drawer(false));

/**
 * @param {import("../model/room.js").Room} room
 * @param {(whom: {username: string, name: string}) => void} order what a moderator does with someone
 */
export function showPeople(room, order) {
  byId("count").textContent = String(room.count);
  toggle.textContent = `${words.people} ${room.count}`;
  const items = room.users.map((name) => {
    const shown = room.names.get(name) ?? name;
    const label = el("span", { class: `name hue-${hue(name)}`, text: shown, dir: "auto" });
    if (shown !== name) label.title = name;
    const item = el("li", {}, label);
    if (name === room.me) item.append(el("span", { class: "you", text: words.you }));
    if (room.guests.includes(name)) item.append(el("span", { class: "you", text: words.guest }));
    if (room.mod && name !== room.me) {
      const act = el("button", { class: "small", text: words.order });
      act.setAttribute("aria-label", words.orderPerson(shown));
      act.addEventListener("click", () => order({ username: name, name: shown }));
      item.append(act);
    }
    return item;
  });
  if (room.count > room.users.length) {
    items.push(el("li", { class: "more", text: words.others(room.count - room.users.length) }));
  }
  byId("people").replaceChildren(...items);
}
