/** All that the page says, in one table. */
export const words = {
  copy: "Copy link",
  copied: "Copied",
  leave: "Leave",
  people: "People",
  send: "Send",
  write: "Write to the room…",
  connected: "Connected",
  connecting: "Connecting…",
  offline: "Offline: waiting for the network",
  /** @param {number} n */
  again: (n) => `Reconnecting in ${n} s`,
  empty: "Nobody has said anything here yet.",
  invite: "Send someone this link, and you can talk:",
  /** @param {number} n */
  newer: (n) => `${n} new`,
  /** @param {string} name */
  joined: (name) => `${name} came in`,
  /** @param {string} name */
  left: (name) => `${name} left`,
  /** @param {number} first @param {number} last */
  gap: (first, last) =>
    first === last ? "One earlier message is gone" : `${last - first + 1} earlier messages are gone`,
  older: "Older messages are coming…",
  beginning: "This is the beginning of the room",
  oldest: "Nothing older is kept",
  edited: "edited",
  deleted: "Message deleted",
  you: "you",
  /** @param {number} n */
  more: (n) => `and ${n} more`,
  waiting: "Waiting to be sent",
  failed: { chat: "Not sent", edit: "Not changed", delete: "Not deleted" },
  changing: "This change waits to be sent",
  removing: "Waits to be deleted",
  /** What the server refuses, where its own words would not say enough. @type {Record<string, string>} */
  refusals: {
    forbidden: "this message is not yours to change",
    not_found: "that message is not there any more",
  },
  edit: "Edit",
  remove: "Delete",
  sure: "Delete this message?",
  keep: "Keep",
  editing: "You are editing your message",
  cancel: "Cancel",
  save: "Save",
  blank: "A message cannot become empty; delete it instead.",
  vanished: "The message that you were editing was deleted.",
  retry: "Try again",
  discard: "Discard",
  /** Why what was written waits, by the error's code. @type {Record<string, string>} */
  patience: {
    rate_limited: "A little slower: what you wrote is sent in a moment.",
    storage_unavailable:
      "The server cannot save messages at the moment. Yours is kept here, and sent when it can.",
  },
  today: "Today",
  yesterday: "Yesterday",
  unnamed: "Please give a name.",
  unplaced: "Please give a room.",
  /** @type {Record<number, string>} */
  stopped: {
    1002: "The server did not understand this page. Reload it and try again.",
    1007: "The server did not understand this page. Reload it and try again.",
    1008: "The server closed the connection, because it was asked for too much.",
    1009: "What was sent is too large for this server.",
    4401: "Your sign-in has ended. Sign in again to go on.",
    4409: "You went on in another tab or window, so this one has stopped.",
  },
  final: "The server closed the connection.",
};
