/** What is being written that could be completed: a name after an at sign, an emoji after a colon. */

/**
 * @typedef {{kind: "@" | ":", from: number, query: string}} Open where it begins, and what is there of it
 */

/** So much of an emoji's name before any are offered: a colon alone is only a colon. */
const LEAST = 2;

/**
 * What stands open before the caret.
 * @param {string} text @param {number} caret
 * @returns {Open | null}
 */
export function open(text, caret) {
  const before = text.slice(0, caret);
  const emoji = /(?:^|[\s(])(:)([a-z0-9_+-]*)$/i.exec(before);
  if (emoji && emoji[2].length >= LEAST) {
    return { kind: ":", from: caret - emoji[2].length - 1, query: emoji[2].toLowerCase() };
  }
  // Names may have spaces, so all since the last at sign may be one; but not over a line's end.
  const name = /(?:^|[\s(])@([^@\n]{0,32})$/u.exec(before);
  return name ? { kind: "@", from: caret - name[1].length - 1, query: name[1] } : null;
}

/** @param {string} one */
const folded = (one) => one.normalize("NFKC").toLowerCase();

/**
 * The best of `names` for a query: those that begin so, then those with a word that does.
 * @template {{name: string, shown?: string}} Named
 * @param {string} query @param {Iterable<Named>} names @param {number} most
 */
export function rank(query, names, most) {
  const sought = folded(query);
  const first = [];
  const then = [];
  for (const one of names) {
    const known = [one.name, one.shown ?? ""].map(folded);
    if (known.some((name) => name.startsWith(sought))) first.push(one);
    else if (sought && known.some((name) => name.includes(` ${sought}`) || name.includes(`_${sought}`))) then.push(one);
    if (first.length >= most) break;
  }
  return [...first, ...then].slice(0, most);
}

/**
 * A text with what was chosen in the place of what stood open, and where the caret is then.
 * @param {string} text @param {number} caret @param {Open} at @param {string} chosen
 */
export function complete(text, caret, at, chosen) {
  const rest = text.slice(caret);
  const put = `${chosen}${rest.startsWith(" ") ? "" : " "}`;
  return { text: text.slice(0, at.from) + put + rest, caret: at.from + chosen.length + 1 };
}
