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

/** Give the room's link on: by what the phone has for that, or by the clipboard. */
export async function copyLink() {
  if (navigator.share && matchMedia("(pointer: coarse)").matches) {
    return navigator.share({ title: document.title, url: location.href }).catch(() => {}); // thought better of it
  }
  await copyText(location.href);
  byId("copy").textContent = words.copied;
  window.setTimeout(() => (byId("copy").textContent = words.copy), 2000);
}
