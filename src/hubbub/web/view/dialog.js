/** The dialog, and what stands in one: fields, choices, buttons. */

import { byId, el } from "./dom.js";
import { words } from "./words.js";

const box = /** @type {HTMLDialogElement} */ (byId("order"));
let closed = () => {};
let count = 0;

byId("order-close").textContent = words.close;
byId("order-close").addEventListener("click", () => box.close());
box.addEventListener("close", () => {
  if (box.open) return; // it is told late, and shows something else by now
  closed();
  byId("order-body").replaceChildren();
});
// A click beside it closes it.
box.addEventListener("click", (event) => event.target === box && box.close());

/**
 * Open it. What comes back can close it, or say in it what was done or went wrong; once it shows
 * something else, that is passed over.
 * @param {string} title @param {...Node} children
 */
export function open(title, ...children) {
  const status = el("p", { class: "told", dir: "auto" });
  status.setAttribute("role", "status");
  byId("order-title").textContent = title;
  byId("order-body").replaceChildren(...children, status);
  closed = () => {};
  if (!box.open) box.showModal();
  return {
    close: closeDialog,
    /** @param {string} what */
    say: (what) => {
      status.className = "told";
      status.textContent = what;
    },
    /** @param {string} what */
    fail: (what) => {
      status.className = "told trouble";
      status.textContent = what;
    },
  };
}

export function closeDialog() {
  if (box.open) box.close();
}

/** @param {() => void} then */
export function whenClosed(then) {
  closed = then;
}

/** @param {string} label @param {() => void} act @param {string} [name] what a screen reader says */
export function button(label, act, name) {
  const one = /** @type {HTMLButtonElement} */ (el("button", { class: "quiet", text: label }));
  one.type = "button";
  if (name) one.setAttribute("aria-label", name);
  one.addEventListener("click", act);
  return one;
}

/** @param {string} legend @param {...Node} buttons */
export function group(legend, ...buttons) {
  return el("fieldset", {}, el("legend", { text: legend }), el("div", { class: "choices" }, ...buttons));
}

/** @param {string} label @param {HTMLElement} input @param {string} [look] */
function labelled(label, input, look = "field") {
  const name = /** @type {HTMLLabelElement} */ (el("label", { text: label }));
  name.htmlFor = input.id = `order-${++count}`;
  return el("div", { class: look }, name, input);
}

/** @param {string} label @param {string} type */
export function field(label, type) {
  const input = /** @type {HTMLInputElement} */ (el("input"));
  input.type = type;
  input.autocomplete = "off";
  return { input, row: labelled(label, input, type === "checkbox" ? "check" : "field") };
}

/** @param {string} label @param {[string, number][]} options @param {number} chosen */
export function choice(label, options, chosen) {
  const select = /** @type {HTMLSelectElement} */ (el("select"));
  for (const [text, value] of options) {
    const option = /** @type {HTMLOptionElement} */ (el("option", { text }));
    option.value = String(value);
    option.selected = value === chosen;
    select.append(option);
  }
  return { select, row: labelled(label, select) };
}
