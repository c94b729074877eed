/** Emoji by their names, and the dialog in which one is chosen. Both come when they are first needed. */

import { rank } from "../model/completion.js";
import { field, open } from "./dialog.js";
import { el } from "./dom.js";
import { words } from "./words.js";

/** @typedef {{emoji: string, name: string, names: string[], group: string}} Emoji */

/** What most people want. */
const OFTEN = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
/** So many are offered for a name. */
const MOST = 60;
/** @type {Promise<Emoji[]> | null} */
let coming = null;

/** All emoji with their names. @returns {Promise<Emoji[]>} */
export function allEmoji() {
  coming ??= import("../data/emoji.js").then(({ EMOJI }) => {
    let group = "";
    return EMOJI.split("\n").flatMap((line) => {
      if (line.startsWith("# ")) {
        group = line.slice(2);
        return [];
      }
      const [emoji, names, tags] = line.split(" ");
      const known = names.split(",");
      return [{ emoji, name: known[0], names: [...known, ...(tags?.split(",") ?? [])], group }];
    });
  });
  coming.catch(() => (coming = null)); // no network: the next one asks again
  return coming;
}

/**
 * The emoji whose names fit best.
 * @param {Emoji[]} all @param {string} query @param {number} most
 */
export function find(all, query, most) {
  const named = all.flatMap((emoji) => emoji.names.map((name) => ({ name, emoji })));
  return [...new Set(rank(query, named, 4 * most).map(({ emoji }) => emoji))].slice(0, most);
}

/**
 * Let someone choose an emoji.
 * @param {string} title @param {(emoji: string) => void} chosen
 */
export function pick(title, chosen) {
  const search = field(words.findEmoji, "search");
  const grid = el("div", { class: "emojis" });
  const dialog = open(title, search.row, grid);
  const often = OFTEN.map((emoji) => ({ emoji, name: "", group: words.often, names: [] }));
  const choose = (/** @type {string} */ emoji) => {
    dialog.close();
    chosen(emoji);
  };
  show(grid, often, choose);
  search.input.focus();
  allEmoji().then(
    (all) => {
      const look = () => {
        const query = search.input.value.trim().replaceAll(":", "").replaceAll(" ", "_");
        const found = query ? find(all, query, MOST).map((one) => ({ ...one, group: words.found })) : [...often, ...all];
        show(grid, found, choose);
        dialog.say(found.length ? "" : words.noEmoji);
      };
      search.input.addEventListener("input", look);
      look();
    },
    () => dialog.fail(words.notLoaded),
  );
  search.input.addEventListener("keydown", (event) => {
    const first = /** @type {HTMLElement | null} */ (grid.querySelector("button"));
    if (!first || (event.key !== "Enter" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (event.key === "Enter" && search.input.value) first.click();
    else first.focus();
  });
  grid.addEventListener("keydown", walk);
}

/** @param {HTMLElement} grid @param {Emoji[]} all @param {(emoji: string) => void} choose */
function show(grid, all, choose) {
  const groups = [...new Set(all.map(({ group }) => group))];
  grid.replaceChildren(
    ...groups.map((group) => {
      const buttons = all.filter((one) => one.group === group).map(({ emoji, name }) => {
        const one = el("button", { class: "emoji", text: emoji });
        if (name) one.title = `:${name}:`;
        one.setAttribute("aria-label", name ? name.replaceAll("_", " ") : emoji);
        one.tabIndex = -1;
        one.addEventListener("click", () => choose(emoji));
        return one;
      });
      return el("section", {}, el("h3", { text: words.emojiGroups[group] ?? group }), el("div", {}, ...buttons));
    }),
  );
  const first = /** @type {HTMLElement | null} */ (grid.querySelector("button"));
  if (first) first.tabIndex = 0;
}

/** The arrows go from one to the next, and to the one below. @param {KeyboardEvent} event */
function walk(event) {
  const grid = /** @type {HTMLElement} */ (event.currentTarget);
  const all = /** @type {HTMLElement[]} */ ([...grid.querySelectorAll("button")]);
  const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const beside = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const turned = getComputedStyle(grid).direction === "rtl" ? -1 : 1;
  const to = beside ? all[at + beside * turned] : rowBeside(all, at, event.key);
  if (!to || at < 0) return;
  event.preventDefault();
  all[at].tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

/** @param {HTMLElement[]} all @param {number} at @param {string} key */
function rowBeside(all, at, key) {
  if (key !== "ArrowDown" && key !== "ArrowUp") return undefined;
  const from = all[at].getBoundingClientRect();
  const others = key === "ArrowDown" ? all.slice(at + 1) : all.slice(0, at).reverse();
  const apart = (/** @type {HTMLElement} */ one) => Math.abs(one.getBoundingClientRect().left - from.left);
  return others.find((one) => one.getBoundingClientRect().top !== from.top && apart(one) < from.width / 2);
}
