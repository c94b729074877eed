import { byId } from "./dom.js";
import { words } from "./words.js";

/** Put something on the clipboard. @param {string} text */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Plain http has no clipboard: select the text the old way.
    const box = document.createElement("textarea");
    box.value = text;
    box.className = "unseen";
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}

/** Put the room's link on the clipboard. */
export async function copyLink() {
  await copyText(location.href);
  byId("copy").textContent = words.copied;
  window.setTimeout(() => (byId("copy").textContent = words.copy), 2000);
}
