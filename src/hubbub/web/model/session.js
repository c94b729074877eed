/**
 * What the server says of who asks, before a socket is opened. Pure.
 *
 * `in`: a socket would be let in; `username` is empty where there is no token, `ends` is when the
 * token does (Unix ms by the server's clock; 0: never), `password`: there is one for moderators.
 * `wait`: later, perhaps, and not before so many seconds; without a `code` nobody answered, or
 * nothing of ours. `stop`: coming back would change nothing.
 *
 * @typedef {{kind: "in", username: string, name: string, ends: number, password: boolean}
 *   | {kind: "wait", code: string, seconds: number}
 *   | {kind: "stop", code: string, message: string}} Verdict
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
 * @param {string | null} after its `Retry-After`
 * @returns {Verdict}
 */
export function verdict(status, body, after) {
  if (status === 200 && typeof body?.auth === "string") {
    const username = body.username ?? "";
    const ends = (body.ends ?? 0) * 1000;
    return { kind: "in", username, name: body.name ?? username, ends, password: Boolean(body.mod_password) };
  }
  const { code = "", message = "" } = body?.error ?? {};
  if (FINAL.has(code)) return { kind: "stop", code, message };
  return { kind: "wait", code: status === 429 || status === 503 ? code : "", seconds: Number(after) || 0 };
}

/** @param {string} code */
export const isSpent = (code) => SPENT.has(code);

/** Whether something can be a token: what cannot must not be put in a header. @param {string} text */
export const isToken = (text) => text.length <= 8000 && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text);
