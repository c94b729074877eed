/** What the browser remembers: name and room for good, the session and where one is for a tab. */

/** @param {Storage} store @param {string} key */
function get(store, key) {
  try {
    return store.getItem(`hubbub.${key}`) ?? "";
  } catch {
    return ""; // storage is forbidden: then nothing is remembered
  }
}

/** @param {Storage} store @param {string} key @param {string} value */
function set(store, key, value) {
  try {
    if (value) store.setItem(`hubbub.${key}`, value);
    else store.removeItem(`hubbub.${key}`);
  } catch {
    /* as above */
  }
}

/** Something that this browser keeps for good. @param {string} key */
export const read = (key) => get(localStorage, key);
/** @param {string | null} text */
function parsed(text) {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null;
  }
}

/** The same, of what was kept as JSON; null: there is none, or it is not ours. @param {string} key @returns {any} */
export const recall = (key) => parsed(read(key));
/** Another tab of this browser keeps something else. @param {() => string} key @param {(now: any) => void} then */
export const onElsewhere = (key, then) =>
  addEventListener("storage", (event) => {
    if (event.key === `hubbub.${key()}`) then(parsed(event.newValue));
  });
/** @param {string} key @param {string} value empty: it is kept no more */
export const write = (key, value) => set(localStorage, key, value);

export const memory = {
  get name() { return get(localStorage, "name"); },
  set name(value) { set(localStorage, "name", value); },
  get room() { return get(localStorage, "room"); },
  set room(value) { set(localStorage, "room", value); },
  get session() { return get(sessionStorage, "session"); },
  set session(value) { set(sessionStorage, "session", value); },
  /** What a site gave to prove who one is; for this tab alone. */
  get token() { return get(sessionStorage, "token"); },
  set token(value) { set(sessionStorage, "token", value); },
  /** Whom the token is of, as the server has read it. */
  get user() { return get(sessionStorage, "user"); },
  set user(value) { set(sessionStorage, "user", value); },
  /** The room that this tab is in; empty before Join and after Leave. */
  get inside() { return get(sessionStorage, "inside"); },
  set inside(value) { set(sessionStorage, "inside", value); },
  /** The name that this tab has there. */
  get as() { return get(sessionStorage, "as"); },
  set as(value) { set(sessionStorage, "as", value); },
};

/** Whether this load goes on with an earlier one. A duplicated tab has its memory, but is new. */
export function isReload() {
  const [entry] = performance.getEntriesByType("navigation");
  const kind = /** @type {PerformanceNavigationTiming | undefined} */ (entry)?.type;
  return kind === "reload" || kind === "back_forward";
}
