import { byId } from "./dom.js";
import { words } from "./words.js";

const box = byId("message");
box.placeholder = words.write;
byId("send").textContent = words.send;

/** As tall as what is written, up to a limit that the style sets. */
function grow() {
  box.rows = 1;
  const line = parseFloat(getComputedStyle(box).lineHeight);
  box.rows = Math.min(8, Math.max(1, Math.floor((box.scrollHeight - 16) / line)));
}

/**
 * Enter sends, Shift+Enter begins a line, and while an input method composes Enter is its own.
 * @param {(text: string) => void} say
 */
export function composer(say) {
  const submit = () => {
    const text = box.value.trim();
    if (!text) return;
    box.value = "";
    grow();
    say(text);
  };
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  byId("composer").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit();
    box.focus();
  });
}
