/** Who one is to the server: the token that a site gave, and what the server makes of it. */

import { isSpent, verdict } from "../model/session.js";
import { memory } from "./memory.js";

/** Take `?token=` out of the address at once: it is nobody else's. */
export function takeToken() {
  const url = new URL(location.href);
  const token = url.searchParams.get("token");
  if (token === null) return;
  memory.token = token;
  memory.session = memory.inside = "";
  url.searchParams.delete("token");
  history.replaceState(null, "", url);
}

/** What a socket shows: never in an address, which proxies write down. */
export const protocols = () => (memory.token ? ["hubbub", `bearer.${memory.token}`] : []);

/**
 * Ask whether a socket would be let in, and as whom.
 * @returns {Promise<import("../model/session.js").Verdict>}
 */
export async function ask() {
  try {
    const headers = memory.token ? { Authorization: `Bearer ${memory.token}` } : undefined;
    const answer = await fetch(new URL("api/session", document.baseURI), { headers, cache: "no-store" });
    const found = verdict(answer.status, await answer.json());
    if (found.kind === "stop" && isSpent(found.code)) memory.token = "";
    return found;
  } catch {
    return { kind: "wait" }; // the server is away, or something between answers for it
  }
}
