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
  guest: "guest",
  lead: "Choose a name and a room. Whoever is in the same room can talk.",
  /** @param {string} name */
  welcomeBack: (name) => `You are ${name}. Choose a room.`,
  order: "Keep order",
  /** @param {string} name */
  orderPerson: (name) => `Keep order: ${name}`,
  orderRoom: "Keep order in this room",
  moderator: "I am a moderator",
  password: "The moderators’ password",
  enter: "Go on",
  close: "Close",
  reason: "Reason (everyone sees it)",
  address: "Ban their address, too",
  purge: "Delete all their messages",
  kick: "Put out",
  /** @type {[string, number][]} */
  mutes: [["Mute 10 minutes", 600], ["Mute 1 hour", 3600], ["Mute", 0]],
  /** @type {[string, number][]} */
  bans: [["Ban 1 day", 86400], ["Ban", 0]],
  /** @type {[string, number][]} */
  slows: [["Everyone at their pace", 0], ["One message in 10 s", 10], ["One message in 60 s", 60]],
  closeRoom: "Only moderators write",
  openRoom: "Let everyone write",
  holding: "Bans and mutes",
  nothingHolds: "None",
  lift: "Lift",
  /** @param {any} held @param {string} until */
  held: (held, until) =>
    `${held.username}: ${held.action === "ban" ? "banned" : "muted"}${until ? ` until ${until}` : ""} by ${held.by}${held.reason ? ` (${held.reason})` : ""}`,
  /** What a moderator did, as the room hears it. @param {any} act @param {string} until */
  acted: (act, until) => {
    const whom = act.username ?? "";
    const does = {
      kick: `${act.by} put ${whom} out`,
      mute: `${act.by} muted ${whom}`,
      ban: `${act.by} banned ${whom}`,
      pardon: `${act.by} lets ${whom} take part again`,
      purge: `${act.by} deleted the messages of ${whom}`,
      slow: act.seconds ? `Slow mode: one message in ${act.seconds} s` : "Slow mode is over",
      read_only: act.on ? "Only moderators can write now" : "Everyone can write again",
    };
    const what = /** @type {Record<string, string>} */ (does)[act.action] ?? act.action;
    return `${what}${until ? ` until ${until}` : ""}${act.reason ? `: ${act.reason}` : ""}`;
  },
  done: "Done.",
  /** Why one may not write, or was put out, by the error's code. @param {any} error @param {string} until */
  why: (error, until) => {
    const end = until ? ` until ${until}` : "";
    /** @type {Record<string, string>} */
    const said = {
      muted: `You are muted${end}: you can read, but not write`,
      read_only: "Only moderators write here at the moment",
      banned: `You are banned${end}`,
      kicked: "A moderator put you out of the room; you may come back",
    };
    return said[error.code] ?? error.message;
  },
  /** Why there is no connection, by the refusal's code. @type {Record<string, string>} */
  refused: {
    unauthorized: "Please sign in first: this chat is for people with an account.",
    bad_token: "Your sign-in is not valid here. Sign in again.",
    token_expired: "Your sign-in has ended. Sign in again to go on.",
    token_not_yet_valid: "Your sign-in is not valid yet. Check the clock, and try again later.",
    forbidden_origin: "This page may not use that chat.",
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
    4403: "A moderator banned you from this room.",
    4401: "Your sign-in has ended. Sign in again to go on.",
    4409: "You went on in another tab or window, so this one has stopped.",
  },
  final: "The server closed the connection.",
};
