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
  if (event.key === "Escape") drawer(false);
});
byId("scroll").addEventListener("pointerdown", () => drawer(false));

/** @param {import("../model/room.js").Room} room */
export function showPeople(room) {
  byId("count").textContent = String(room.count);
  toggle.textContent = `${words.people} ${room.count}`;
  const items = room.users.map((name) => {
    const item = el("li", {}, el("span", { class: `name hue-${hue(name)}`, text: name, dir: "auto" }));
    if (name === room.me) item.append(el("span", { class: "you", text: words.you }));
    return item;
  });
  if (room.count > room.users.length) {
    items.push(el("li", { class: "more", text: words.more(room.count - room.users.length) }));
  }
  byId("people").replaceChildren(...items);
}
