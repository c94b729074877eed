/**
 * Text in parts: what is a link, and what is not.
 * @param {string} text
 * @returns {{text: string, href?: string}[]}
 */
export function parts(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"'`]+/gi)) {
    let link = match[0].replace(/[.,;:!?…]+$/u, "");
    // A closing bracket belongs to the link only if it was opened there.
    while (link.endsWith(")") && !link.includes("(")) link = link.slice(0, -1).replace(/[.,;:!?]+$/u, "");
    if (!URL.canParse?.(link) && !parses(link)) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    found.push({ text: link, href: link });
    at = match.index + link.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}

/** @param {string} link */
function parses(link) {
  try {
    return Boolean(new URL(link));
  } catch {
    return false;
  }
}

/**
 * A name's colour: one of twelve, the same wherever the name stands.
 * @param {string} name
 */
export function hue(name) {
  let sum = 7;
  for (const char of name) sum = (sum * 31 + /** @type {number} */ (char.codePointAt(0))) >>> 0;
  return sum % 12;
}
