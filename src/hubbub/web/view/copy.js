import { byId } from "./dom.js";
import { words } from "./words.js";

/** Put the room's link on the clipboard. */
export async function copyLink() {
  const link = location.href;
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    // Plain http has no clipboard: select the text the old way.
    const box = document.createElement("textarea");
    box.value = link;
    box.className = "unseen";
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
  byId("copy").textContent = words.copied;
  window.setTimeout(() => (byId("copy").textContent = words.copy), 2000);
}
