import { hue } from "../model/text.js";
import { byId, el } from "./dom.js";
import { drawer } from "./drawer.js";
import { words } from "./words.js";

const toggle = byId("people-button");
byId("people-title").textContent = words.people;

drawer(toggle, "side-open");

/** So many are shown at once: nobody reads more, and it has to be there at once. */
const SHOWN = 200;
/** From so many on one wants to look for someone. */
const MANY = 20;

const list = byId("people");
const find = byId("people-find");
/** @type {string[]} */
let writing = [];
let again = () => {};
find.placeholder = words.findPerson;
find.setAttribute("aria-label", words.findPerson);
find.addEventListener("input", () => again());

/**
 * @param {import("../model/room.js").Room} room
 * @param {(whom: {username: string, name: string}) => void} order what a moderator does with someone
 */
export function showPeople(room, order) {
  byId("count").textContent = String(room.count);
  toggle.textContent = `${words.people} ${room.count}`;
  again = () => showPeople(room, order);
  find.hidden = room.users.length < MANY;
  const sought = find.hidden ? "" : find.value.trim().toLowerCase();
  const found = sought
    ? room.users.filter((name) => [name, room.names.get(name) ?? ""].some((one) => one.toLowerCase().includes(sought)))
    : room.users;
  const items = found.slice(0, SHOWN).map((name) => {
    const shown = room.names.get(name) ?? name;
    const label = el("span", { class: `name hue-${hue(name)}`, text: shown, dir: "auto" });
    if (shown !== name) label.title = name;
    const item = el("li", {}, label);
    item.dataset.username = name;
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
  const others = (sought ? found.length : room.count) - items.length;
  if (others > 0) items.push(el("li", { class: "more", text: words.others(others) }));
  list.replaceChildren(...items);
  mark();
}

/** These write now. @param {string[]} names */
export function markWriters(names) {
  if (names.join("\n") === writing.join("\n")) return;
  writing = names;
  mark();
}

function mark() {
  for (const item of list.children) {
    const writes = writing.includes(item.dataset.username ?? "");
    const shown = item.querySelector(".writes");
    if (writes && !shown) item.querySelector(".name").after(el("span", { class: "you writes", text: words.writes }));
    else if (!writes) shown?.remove();
  }
}
