// Writes the names of emoji that the page offers, from the npm package `gemoji`:
//   npm install gemoji && node scripts/make-emoji-names.mjs > src/hubbub/web/data/emoji.js
// A line an emoji: the emoji, its names, and words that people look for. `# ` begins a group.
import { gemoji } from "gemoji";

const lines = [];
let group = "";
for (const { emoji, names, tags, category } of gemoji) {
  if (category !== group) lines.push(`# ${category}`);
  group = category;
  const words = tags.map((tag) => tag.replaceAll(" ", "_")).filter((tag) => !names.includes(tag));
  lines.push([emoji, names.join(","), words.join(",")].filter(Boolean).join(" "));
}
console.log("/** Emoji and their names, from gemoji 8.1.0 (MIT, see LICENSE beside this file). */");
console.log(`export const EMOJI = \`${lines.join("\n")}\`;`);
