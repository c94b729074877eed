/** How the page looks, and whether it tells of mentions: kept in this browser. */

import { button, group, open } from "./dialog.js";
import { el } from "./dom.js";
import { read, write } from "./memory.js";
import { canTell, want, wants } from "./unread.js";
import { words } from "./words.js";

export function options() {
  const themes = words.themes.map(([label, theme]) => {
    const one = button(label, () => {
      write("theme", theme);
      if (theme) document.documentElement.dataset.theme = theme;
      else delete document.documentElement.dataset.theme;
      mark();
    });
    one.dataset.choice = theme;
    return one;
  });
  const mark = () => themes.forEach((one) => one.setAttribute("aria-pressed", String(one.dataset.choice === read("theme"))));
  mark();
  const telling = button("", async () => {
    const done = await want(!wants());
    label();
    if (!done && read("notify")) dialog.fail(words.notifyRefused);
    else dialog.say("");
  });
  const label = () => {
    telling.textContent = wants() ? words.notifyOff : words.notifyOn;
    telling.setAttribute("aria-pressed", String(wants()));
  };
  label();
  const told = canTell() ? group(words.notify, telling) : el("p", { class: "hint", text: words.notifyNever });
  const dialog = open(words.options, group(words.theme, ...themes), told);
}
