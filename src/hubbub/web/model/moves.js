/**
 * Who came and went while nobody said anything: one row, and what it comes to.
 *
 * @typedef {{username: string, name?: string}} Who
 * @typedef {{kind: "moved", people: Map<string, Who & {was: boolean, is: boolean}>}} MovedRow whether each
 *   was there before, and is after
 */

/** @returns {MovedRow} */
export const stretch = () => ({ kind: "moved", people: new Map() });

/** @param {MovedRow} row @param {Who} who @param {boolean} is whether they came; else they left */
export function move({ people }, { username, name }, is) {
  const before = people.get(username);
  people.set(username, { username, name: name ?? before?.name, was: before?.was ?? !is, is });
}

/**
 * Who came and stayed, left for good, or only looked in, each in the order in which they were first seen.
 * Who left and is back did nothing.
 * @param {MovedRow} row
 */
export function outcome({ people }) {
  const all = [...people.values()];
  return {
    came: all.filter((one) => !one.was && one.is),
    left: all.filter((one) => one.was && !one.is),
    looked: all.filter((one) => !one.was && !one.is),
  };
}

/** @param {MovedRow} row */
export const isNothing = ({ people }) => [...people.values()].every((one) => one.was && one.is);
