// What people write, as a tree: a few marks, and never anything but text in the leaves.
import assert from "node:assert/strict";
import { test } from "node:test";

import { isMarked, reader } from "../../../src/hubbub/web/model/markup.js";
import * as library from "../../../src/hubbub/web/vendor/marked/marked.esm.js";

const read = reader(library);
const KINDS = ["text", "code", "block", "line", "link", "bold", "italic", "struck", "quote", "paragraph", "item", "list"];

/** The tree in short: `bold(text)`. */
const brief = (nodes) =>
  nodes.map((one) => (one.of ? `${one.kind}${one.href ? ` ${one.href}` : ""}(${brief(one.of)})` : one.kind === "text" ? one.text : `${one.kind}[${one.text ?? ""}]`)).join("|");

for (const [text, tree] of [
  ["*a* **b** ~~c~~ `d`", "paragraph(italic(a)| |bold(b)| |struck(c)| |code[d])"],
  ["snake_case_name 2 * 3 * 4", "paragraph(snake_case_name 2 * 3 * 4)"],
  ["> said\n\nso", "quote(paragraph(said))|paragraph(so)"],
  ["- a\n- b", "list(item(paragraph(a))|item(paragraph(b)))"],
  ["3. a", "list(item(paragraph(a)))"],
  ["```py\n1 < 2 & *3*\n```", "block[1 < 2 & *3*]"],
  ["[x](https://a.b/c)", "paragraph(link https://a.b/c(x))"],
  ["https://a.b/_c_d_ *e*", "paragraph(link https://a.b/_c_d_(https://a.b/_c_d_)| |italic(e))"],
  ["# no *heading*", "paragraph(# no |italic(heading))"],
  ["a | b\n--|--\n*1* | 2", "paragraph(a | b|line[]|--|--|line[]|italic(1)| | 2)"],
  ["<b>*x*</b> <script>", "paragraph(<b>|italic(x)|</b> <script>)"],
  ["\\*x\\*", "paragraph(*|x|*)"],
  ["one\n*two*", "paragraph(one|line[]|italic(two))"],
]) {
  test(`${JSON.stringify(text)} is ${tree}`, () => assert.equal(brief(read(text)), tree));
}

for (const href of ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "//host/x", "/api/rooms", "mailto:a@b.c", "JaVaScRiPt:x", "&#106;avascript:x", "https:x"]) {
  test(`${href} leads nowhere`, () => {
    for (const text of [`[a](${href})`, `[a](<${href}>)`, `![a](${href})`, `<${href}>`, `[a]: ${href}\n\n[a]`]) {
      assert.ok(!brief(read(text)).includes("link "), `${text} ${brief(read(text))}`);
    }
  });
}

test("a picture of another host is a link, which nobody follows unasked", () => {
  assert.equal(brief(read("![cat](https://a.b/cat.png)")), "paragraph(link https://a.b/cat.png(cat))");
});

test("whatever is written becomes a tree of known kinds that loses no letter", () => {
  const marks = ["*", "_", "`", "~", "> ", "- ", "1. ", "[", "](https://a.b)", "\n", " ", "x", "é", "```\n", "\\", "<b>", "&lt;", "!", "|", "#"];
  let seed = 7;
  const roll = (most) => (seed = (seed * 48_271) % 2_147_483_647) % most;
  for (let turn = 0; turn < 3000; turn++) {
    const text = Array.from({ length: 1 + roll(24) }, () => marks[roll(marks.length)]).join("");
    const walk = (nodes) => nodes.map((one) => {
      assert.ok(KINDS.includes(one.kind), `${one.kind} in ${JSON.stringify(text)}`);
      return one.of ? walk(one.of) : (one.lang ?? "") + (one.text ?? "");
    }).join("");
    const letters = (string) => [...string].filter((char) => /[xé]/.test(char)).join("");
    assert.equal(letters(walk(read(text))), letters(text), JSON.stringify(text));
  }
});

test("a text made to hurt is read in time", () => {
  for (const text of [">".repeat(4000), "[".repeat(4000), "*a ".repeat(1300), "`".repeat(4000), "- ".repeat(2000), "_*".repeat(2000), "a\n> ".repeat(800)]) {
    const before = performance.now();
    read(text);
    assert.ok(performance.now() - before < 1000, `${text.slice(0, 8)}… took ${performance.now() - before} ms`);
  }
});

test("most of what is said needs no library", () => {
  for (const text of ["hello", "well, (yes) 10:30 & so", "https://a.b/c", "second line\nthird"]) assert.ok(!isMarked(text));
  for (const text of ["*a*", "- a", "a\n1. b", "> q", "`c`", "[a](b)", "\\*"]) assert.ok(isMarked(text));
});
