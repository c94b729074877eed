import assert from "node:assert/strict";
import { test } from "node:test";

import { complete, open, rank } from "../../../src/hubbub/web/model/completion.js";

const at = (text) => {
  const found = open(text.replace("|", ""), text.indexOf("|"));
  return found && [found.kind, found.from, found.query];
};

test("a name is open after an at sign that begins a word", () => {
  assert.deepEqual(at("hi @|"), ["@", 3, ""]);
  assert.deepEqual(at("@Mary Po| there"), ["@", 0, "Mary Po"]);
  assert.deepEqual(at("(@a|"), ["@", 1, "a"]);
  assert.equal(at("me@example|"), null);
  assert.equal(at("@a\nb|"), null);
  assert.equal(at(`@${"a".repeat(33)}|`), null);
});

test("an emoji is open after a colon and two letters", () => {
  assert.deepEqual(at(":sm|"), [":", 0, "sm"]);
  assert.deepEqual(at("so :Thumbs_u|"), [":", 3, "thumbs_u"]);
  assert.equal(at("at 10:30|"), null);
  assert.equal(at("well:|"), null);
  assert.equal(at("http://x|"), null);
});

test("names that begin so come first, then those with such a word", () => {
  const names = ["Bo", "Al Bo", "Bob", "abo", "ＢＯＲＩＳ"].map((name) => ({ name }));
  assert.deepEqual(rank("bo", names, 9).map(({ name }) => name), ["Bo", "Bob", "ＢＯＲＩＳ", "Al Bo"]);
  assert.deepEqual(rank("", names, 2).map(({ name }) => name), ["Bo", "Al Bo"]);
  assert.deepEqual(rank("zo", [{ name: "u1", shown: "Zoë" }], 2).map(({ name }) => name), ["u1"]);
});

test("what is chosen stands in the place of what was open, with one space after it", () => {
  assert.deepEqual(complete("hi @Bo there", 6, open("hi @Bo there", 6), "@Bob"), { text: "hi @Bob there", caret: 8 });
  assert.deepEqual(complete("so :ta", 6, open("so :ta", 6), "🎉"), { text: "so 🎉 ", caret: 6 });
});
