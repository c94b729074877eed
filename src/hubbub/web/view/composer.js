/** Where one writes: something new, or other words for what one said. */

import { byId } from "./dom.js";
import { words } from "./words.js";

/** @typedef {{seq: number, text: string}} Said */

const box = byId("message");
const bar = byId("editing");
/** What is being edited, and what was written before. @type {(Said & {draft: string}) | null} */
let edits = null;
/** What is being answered. @type {import("../model/room.js").Quote | null} */
let answers = null;
/** @type {(seq: number) => void} */
let marked = () => {};
box.placeholder = words.write;
byId("send").textContent = words.send;
byId("cancel").textContent = words.cancel;
byId("cancel").addEventListener("click", cancel);

/** The `seq` of the message that is being edited, or null. */
export const editing = () => edits?.seq ?? null;

/** As tall as what is written, up to a limit that the style sets. */
function grow() {
  box.rows = 1;
  const line = parseFloat(getComputedStyle(box).lineHeight);
  box.rows = Math.min(8, Math.max(1, Math.floor((box.scrollHeight - 16) / line)));
}

/**
 * Say why one may not write, or null if one may; what is written stays.
 * @param {string | null} why @param {string} placeholder
 */
export function silence(why, placeholder) {
  box.readOnly = byId("send").disabled = why !== null;
  box.placeholder = why === null ? placeholder : words.silentBox;
  if (byId("silence").textContent !== (why ?? "")) byId("silence").textContent = why ?? "";
}

/** What is being written that is no edit. */
export const draft = () => (edits ? edits.draft : box.value);

/** Let something stand in the box, as if it were written now. @param {string} text */
export function write(text) {
  box.value = text;
  grow();
}

/** Whatever it is that Escape takes back. */
function cancel() {
  if (edits) endEdit();
  else endReply();
  box.focus();
}

/** Say what the next message answers. @param {{seq: number, username: string, text: string, name?: string}} said */
export function beginReply(said) {
  endEdit();
  answers = { seq: said.seq, username: said.username, text: said.text.slice(0, 120) };
  byId("editing-what").textContent = words.replying(said.name ?? said.username, said.text.slice(0, 80));
  bar.hidden = false;
  box.focus();
}

/** Answer nothing. */
export function endReply() {
  if (!answers) return;
  answers = null;
  bar.hidden = true;
}

/** The `seq` of the message that is being answered, or null. */
export const answering = () => answers?.seq ?? null;

/** @param {Said} said */
export function beginEdit(said) {
  endReply();
  byId("editing-what").textContent = words.editing;
  const draft = edits ? edits.draft : box.value;
  const before = edits?.seq;
  edits = { seq: said.seq, text: said.text, draft };
  write(said.text);
  bar.hidden = false;
  byId("send").textContent = words.save;
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
  if (before !== undefined) marked(before);
  marked(said.seq);
}

/**
 * Go back to what was being written before.
 * @param {boolean} [keeps] whether what was typed stays, if nothing was being written before
 */
export function endEdit(keeps = false) {
  if (!edits) return;
  const { seq } = edits;
  const draft = edits.draft || (keeps && box.value !== edits.text ? box.value : "");
  edits = null;
  bar.hidden = true;
  byId("send").textContent = words.send;
  write(draft);
  marked(seq);
  box.focus();
}

/**
 * Enter sends, Shift+Enter begins a line, and while an input method composes Enter is its own.
 * In an empty box ArrowUp edits one's last message; then Enter saves and Escape cancels.
 * @param {{say: (text: string, reply?: import("../model/room.js").Quote) => void, save: (seq: number, text: string) => void,
 *   last: () => Said | undefined, marked: (seq: number) => void, note: (what: string) => void}} on
 */
export function composer(on) {
  marked = on.marked;
  const submit = () => {
    if (box.readOnly) return;
    const text = box.value.trim();
    if (!edits) {
      if (!text) return;
      write("");
      const reply = answers ?? undefined;
      endReply();
      on.say(text, reply);
      return;
    }
    if (!text) return on.note(words.blank);
    const { seq, text: before } = edits;
    endEdit();
    if (text !== before) on.save(seq, text);
  };
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Escape") cancel();
    if (event.key === "ArrowUp" && box.value === "" && !edits) {
      const last = on.last();
      if (!last) return;
      event.preventDefault();
      beginEdit(last);
    }
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    submit();
  });
  byId("composer").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
    box.focus();
  });
}
