/**
 * What a text comes to: a tree of few kinds, made by `marked` where there may be anything to make.
 * What people write is never HTML here, and a link leads to a page or to nothing.
 *
 * @typedef {{kind: "text" | "code", text: string} | {kind: "block", text: string, lang: string} | {kind: "line"} |
 *   {kind: "link", href: string, of: Node[]} |
 *   {kind: "bold" | "italic" | "struck" | "quote" | "paragraph" | "item", of: Node[]} |
 *   {kind: "list", of: Node[], first?: number}} Node
 */

import { parts } from "./text.js";

/** What has none of these is as it stands: most of what is said. */
const MARKS = /[*_~`>[\\]|^\s*(?:[-+]|\d{1,9}[.)])\s/m;
/** Things in things in things, so deep; what is deeper is shown as it was written. */
const DEEPEST = 8;
/** What is no markup in a chat: a line that begins with # is one about a channel. */
const NOT = ["code", "heading", "hr", "html", "def", "table", "lheading", "tag", "autolink"];

/** Whether a text may be anything but itself. @param {string} text */
export const isMarked = (text) => MARKS.test(text);

/** @param {any} marked the library @returns {(text: string) => Node[]} */
export function reader({ Marked }) {
  /** @type {Record<string, unknown>} */
  const tokenizer = Object.fromEntries(NOT.map((name) => [name, () => undefined]));
  tokenizer.url = (/** @type {string} */ rest) => {
    const [link] = /^https?:/i.test(rest) ? parts(rest) : [];
    if (!link?.href) return undefined;
    const text = { type: "text", raw: link.text, text: link.text };
    return { type: "link", raw: link.text, href: link.href, text: link.text, tokens: [text] };
  };
  const marked = new Marked({ gfm: true, breaks: true, tokenizer });
  return (text) => {
    try {
      return nodes(marked.lexer(text), 0);
    } catch {
      return [{ kind: "text", text }]; // too deep for the library: then it is words
    }
  };
}

/** @param {any[]} tokens @param {number} depth @returns {Node[]} */
function nodes(tokens, depth) {
  return tokens.filter((token) => token.type !== "space").map((token) => node(token, depth));
}

/** @type {Record<string, "bold" | "italic" | "struck" | "quote" | "paragraph">} */
const KINDS = { strong: "bold", em: "italic", del: "struck", blockquote: "quote", paragraph: "paragraph" };

/** @param {any} token @param {number} depth @returns {Node} */
function node(token, depth) {
  if (depth >= DEEPEST) return { kind: "text", text: token.raw };
  const of = () => nodes(token.tokens ?? [], depth + 1);
  switch (token.type) {
    case "code":
      return { kind: "block", text: token.text, lang: token.lang ?? "" };
    case "codespan":
      return { kind: "code", text: token.text };
    case "br":
      return { kind: "line" };
    case "checkbox":
      return { kind: "text", text: token.checked ? "☑ " : "☐ " };
    case "link":
    case "image":
      return leads(token.href) ? { kind: "link", href: token.href, of: of() } : { kind: "text", text: token.raw };
    case "list":
      return {
        kind: "list",
        of: token.items.map((/** @type {any} */ item) => ({ kind: "item", of: nodes(item.tokens, depth + 1) })),
        ...(token.ordered && { first: Number(token.start) }),
      };
    case "text":
      return token.tokens ? { kind: "paragraph", of: of() } : { kind: "text", text: token.text };
    case "escape":
      return { kind: "text", text: token.text };
  }
  const kind = KINDS[token.type];
  return kind ? { kind, of: of() } : { kind: "text", text: token.raw };
}

/** Whether a link leads to a page, and not to a script or a mail. @param {string} href */
function leads(href) {
  const [link] = parts(href);
  return link?.href === href;
}
