/** Going to a room by its name: Ctrl+K, a few letters, Enter. */

import { open } from "./dialog.js";
import { el } from "./dom.js";
import { rooms } from "./sidebar.js";
import { words } from "./words.js";

const MOST = 12;

/** @param {(place: string) => void} go how one goes to a room */
export function chooseRoom(go) {
  const box = /** @type {HTMLInputElement} */ (el("input"));
  const list = el("ul", { class: "choose" });
  box.setAttribute("aria-label", words.findRoom);
  box.placeholder = words.findRoom;
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-expanded", "true");
  box.setAttribute("aria-controls", "choose");
  box.setAttribute("aria-autocomplete", "list");
  box.autocomplete = "off";
  box.dir = "auto";
  list.id = "choose";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", words.rooms);
  const dialog = open(words.goToRoom, box, list);
  let at = 0;
  /** @type {string[]} */
  let names = [];
  const take = (/** @type {number} */ index) => {
    if (!names[index]) return;
    dialog.close();
    go(names[index]);
  };
  const mark = () => {
    [...list.children].forEach((item, index) => item.setAttribute("aria-selected", String(index === at)));
    if (names.length) box.setAttribute("aria-activedescendant", `choose-${at}`);
    else box.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const show = () => {
    const sought = box.value.trim();
    const found = rooms.find(sought).filter(({ name }) => name !== rooms.here).slice(0, MOST);
    const isNew = sought !== "" && sought !== rooms.here && !found.some(({ name }) => name === sought);
    names = [...found.map(({ name }) => name), ...(isNew ? [sought] : [])];
    const items = found.map(({ name, unread, mentions, topic }) => {
      const hint = mentions ? words.mentions(mentions) : unread ? words.unread(unread) : topic;
      return el("li", {}, el("span", { text: name, dir: "auto" }), el("span", { class: "you", text: hint, dir: "auto" }));
    });
    if (isNew) items.push(el("li", {}, el("span", { text: words.newRoom(sought), dir: "auto" })));
    items.forEach((item, index) => {
      item.id = `choose-${index}`;
      item.setAttribute("role", "option");
      item.addEventListener("click", () => take(index));
    });
    list.replaceChildren(...items);
    at = 0;
    mark();
  };
  box.addEventListener("input", show);
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" && !event.isComposing) take(at);
    else if (step && names.length) {
      at = (at + step + names.length) % names.length;
      mark();
    } else return;
    event.preventDefault();
  });
  show();
  box.focus();
}
