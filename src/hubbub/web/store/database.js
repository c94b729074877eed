/**
 * The browser's database, if there is one: some forbid it, some hang. Then everything here is as if
 * nothing was ever kept, and the page works from memory.
 *
 * letters: what was written and not answered yet, numbered in the order of writing.
 * desks:   where a session stands in a room (`Position`), by `key`.
 * leases:  who drains a queue, where `navigator.locks` is missing.
 */

/** How long to wait for it to open, in ms; a browser may never answer. */
const PATIENCE = 2000;
/** A page below a path is another Hubbub than its neighbour of the same origin. */
const NAME = `hubbub ${new URL(".", document.baseURI).pathname}`;

/** @type {Promise<IDBDatabase | null> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase | null>} */
export function database() {
  opened ??= new Promise((resolve) => {
    window.setTimeout(() => resolve(null), PATIENCE);
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        const letters = request.result.createObjectStore("letters", { autoIncrement: true });
        letters.createIndex("id", "id", { unique: true });
        letters.createIndex("desk", "desk");
        request.result.createObjectStore("desks", { keyPath: "key" });
        request.result.createObjectStore("leases", { keyPath: "name" });
      };
      request.onsuccess = () => {
        // A newer page in another tab wants another form: it must not wait for this one.
        request.result.onversionchange = () => request.result.close();
        resolve(request.result);
      };
      request.onerror = request.onblocked = () => resolve(null);
    } catch {
      resolve(null); // forbidden, or not there
    }
  });
  return opened;
}

/**
 * Do something in one transaction; gives the `result` of what `work` gave (a request has one) once
 * all of it is kept, or `missing` if nothing can be kept.
 * @template T
 * @param {string} store @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => {result: any} | void} work
 * @param {T} missing
 * @returns {Promise<T>}
 */
export async function keep(store, mode, work, missing) {
  const base = await database();
  if (!base) return missing;
  return new Promise((resolve) => {
    try {
      const transaction = base.transaction(store, mode);
      const request = work(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request?.result ?? missing);
      transaction.onabort = () => resolve(missing);
    } catch {
      resolve(missing); // closed under us: a newer page, or the person cleared the data
    }
  });
}
