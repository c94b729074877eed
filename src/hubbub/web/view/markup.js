/** What someone said, as elements. The library that reads marks comes with the first text that has any. */

import { isMarked, reader } from "../model/markup.js";
import { parts } from "../model/text.js";
import { el } from "./dom.js";

/** @typedef {import("../model/markup.js").Node} Marked */

/** @type {((text: string) => Marked[]) | null} */
let read = null;
/** @type {Promise<void> | null} */
let coming = null;

/** How a text that looks another way than before leaves the reader where they are. */
let keep = (/** @type {() => void} */ change) => change();

/** @param {typeof keep} how */
export function keepBy(how) {
  keep = how;
}

/** Emoji alone, a few of them, are shown large. */
const ALONE = /^(?:\p{Extended_Pictographic}(?:\ufe0f|\u200d\p{Extended_Pictographic}|\p{Emoji_Modifier})*\s?){1,6}$/u;

/**
 * @param {string} text
 * @param {string[]} [mentions] names in it that are marked
 */
export function said(text, mentions = []) {
  const body = el("div", { class: "said" });
  if (isMarked(text)) {
    if (read) fill(body, read(text), mentions);
    else {
      body.append(text);
      load().then(() => keep(() => read && fill(body, read(text), mentions)), () => {});
    }
  } else {
    if (ALONE.test(text)) body.classList.add("alone");
    body.append(...words(text, mentions));
  }
  return body;
}

function load() {
  coming ??= import("../vendor/marked/marked.esm.js").then(
    (library) => void (read = reader(library)),
    (problem) => {
      coming = null; // no network: the next text tries again
      throw problem;
    },
  );
  return coming;
}

/** @param {HTMLElement} body @param {Marked[]} nodes @param {string[]} mentions */
function fill(body, nodes, mentions) {
  const [only] = nodes;
  const lone = nodes.length === 1 && only.kind === "paragraph";
  body.classList.toggle("blocks", !lone);
  body.replaceChildren(...(lone ? only.of : nodes).flatMap((node) => show(node, mentions)));
}

/** @type {Record<string, string>} */
const TAGS = { bold: "strong", italic: "em", struck: "s", quote: "blockquote", paragraph: "p", item: "li" };

/** @param {Marked} node @param {string[]} mentions @returns {Node[]} */
function show(node, mentions) {
  const inner = () => /** @type {{of: Marked[]}} */ (node).of.flatMap((one) => show(one, mentions));
  switch (node.kind) {
    case "text":
      return words(node.text, mentions);
    case "line":
      return [el("br")];
    case "code":
      return [el("code", { text: node.text, dir: "ltr" })];
    case "block": {
      const block = el("pre", { dir: "ltr" }, el("code", { text: node.text }));
      if (node.lang) block.dataset.lang = node.lang;
      block.tabIndex = 0; // it may be wider than the page, and a keyboard has to move it
      return [block];
    }
    case "link":
      return [link(node.href, node.of.flatMap((one) => (one.kind === "text" ? [document.createTextNode(one.text)] : show(one, []))))];
    case "list": {
      const list = /** @type {HTMLOListElement} */ (el(node.first === undefined ? "ul" : "ol", {}, ...inner()));
      if (node.first !== undefined) list.start = node.first;
      return [list];
    }
    default:
      return [el(TAGS[node.kind], {}, ...inner())];
  }
}

/** @param {string} href @param {Node[]} children */
function link(href, children) {
  const to = /** @type {HTMLAnchorElement} */ (el("a", {}, ...children));
  to.href = href;
  to.target = "_blank";
  to.rel = "noopener noreferrer nofollow ugc";
  return to;
}

/** Plain words, with links to follow and names to see. @param {string} text @param {string[]} mentions @returns {Node[]} */
function words(text, mentions) {
  return parts(text).flatMap((part) =>
    part.href ? [link(part.href, [document.createTextNode(part.text)])] : named(part.text, mentions));
}

/** @param {string} text @param {string[]} mentions @returns {Node[]} */
function named(text, mentions) {
  /** @type {Node[]} */
  const found = [];
  let at = 0;
  const low = text.toLowerCase();
  const sought = mentions.map((name) => (name.startsWith("@") ? name : `@${name}`)).sort((a, b) => b.length - a.length);
  for (let next = low.indexOf("@"); next !== -1; next = low.indexOf("@", next + 1)) {
    const name = sought.find((one) => low.startsWith(one.toLowerCase(), next));
    if (!name || next < at) continue;
    found.push(document.createTextNode(text.slice(at, next)));
    at = next + name.length;
    found.push(el("span", { class: "mention", text: text.slice(next, at) }));
  }
  return [...found, document.createTextNode(text.slice(at))].filter((one) => one.textContent);
}
