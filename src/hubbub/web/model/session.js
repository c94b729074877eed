/**
 * What the server says of who asks, before a socket is opened. Pure.
 *
 * @typedef {{kind: "in", username: string, name: string}
 *   | {kind: "wait"}
 *   | {kind: "stop", code: string, message: string}} Verdict
 * `in`: a socket would be let in; `username` is empty where there is no token. `wait`: later, perhaps.
 */

/** Refusals that waiting does not help. */
const FINAL = new Set([
  "unauthorized", "bad_token", "token_expired", "token_not_yet_valid", "forbidden_origin", "bad_request",
]);
/** Refusals that say that the token is of no use any more. */
const SPENT = new Set(["bad_token", "token_expired"]);

/**
 * @param {number} status of `GET /api/session`
 * @param {any} body its JSON
 * @returns {Verdict}
 */
export function verdict(status, body) {
  if (status === 200) return { kind: "in", username: body?.username ?? "", name: body?.name ?? body?.username ?? "" };
  const { code = "", message = "" } = body?.error ?? {};
  return FINAL.has(code) ? { kind: "stop", code, message } : { kind: "wait" };
}

/** @param {string} code */
export const isSpent = (code) => SPENT.has(code);
