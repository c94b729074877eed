/** @param {string} what @param {string | undefined} reason */
const because = (what, reason) => (reason ? `${what} Reason: ${reason}` : what);

const and = new Intl.ListFormat("en");

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
  /** @param {string} who */
  came: (who) => `${who} came in`,
  /** @param {string} who */
  left: (who) => `${who} left`,
  /** @param {string} who */
  lookedIn: (who) => `${who} came in and left`,
  /** @param {string[]} names @param {number} more how many more there are */
  list: (names, more) => and.format(more ? [...names, `${more} others`] : names),
  writes: "writing…",
  /** @param {number} first @param {number} last */
  gap: (first, last) =>
    first === last ? "One earlier message is gone" : `${last - first + 1} earlier messages are gone`,
  older: "Older messages are coming…",
  beginning: "This is the beginning of the room",
  oldest: "Nothing older is kept",
  edited: "edited",
  rooms: "Rooms",
  otherRooms: "Other rooms",
  /** @param {number} n */
  roomsWithNews: (n) => `Rooms, something is new in ${n}`,
  /** @param {number} n */
  unread: (n) => `${n} new`,
  /** @param {number} n */
  mentions: (n) => `${n} to you`,
  /** @param {number} n */
  inside: (n) => (n === 1 ? "1 person" : `${n} people`),
  /** @param {string} name */
  forgetRoom: (name) => `Take ${name} off the list`,
  findRoom: "Go to a room…",
  goToRoom: "Go to a room",
  /** @param {string} name */
  newRoom: (name) => `Begin “${name}”`,
  newHere: "New since you looked",
  /** @param {string} who @param {string} room */
  calledBy: (who, room) => `${who} in ${room}`,
  /** @param {string} room */
  calledIn: (room) => `Someone mentions you in ${room}`,
  options: "Settings",
  theme: "How it looks",
  /** @type {[string, string][]} */
  themes: [["As the system", ""], ["Light", "light"], ["Dark", "dark"], ["High contrast", "contrast"]],
  notify: "When someone mentions you",
  notifyOn: "Tell me outside the page, too",
  notifyOff: "Do not tell me any more",
  notifyRefused: "The browser does not allow it for this page. You can change that in its settings.",
  notifyNever: "This browser cannot tell you of mentions outside the page here.",
  findPerson: "Find someone",
  react: "React",
  reply: "Reply",
  more: "More",
  thread: "Thread",
  copyLink: "Copy link",
  linkCopied: "The link is on the clipboard.",
  pin: "Pin",
  unpin: "Take the pin off",
  pinned: "pinned",
  pins: "Pinned",
  noPins: "Nothing is pinned here.",
  goThere: "Go there",
  olderReplies: "Older replies",
  noReplies: "Nobody has answered it yet.",
  notThere: "It is not there any more.",
  notLoaded: "It could not be loaded. Try again when you are connected.",
  about: "About",
  topic: "Topic",
  description: "Description",
  editTopic: "Change the topic",
  noTopic: "Nobody has said what this room is about.",
  walk: "The arrow keys go from one to the next; R replies, + reacts, E edits, M shows more.",
  /** @param {string} who @param {string} text */
  replying: (who, text) => `You are answering ${who}: ${text}`,
  /** @param {string} who @param {string} text */
  answers: (who, text) => `In answer to ${who}: ${text}`,
  /** @param {string} emoji @param {string[]} names @param {number} count */
  reactedBy: (emoji, names, count) =>
    `${emoji} ${names.join(", ")}${count > names.length ? ` and ${count - names.length} more` : ""}`,
  retryAlone: "Send without the answer",
  offers: "Suggestions",
  wholeRoom: "everyone in the room",
  findEmoji: "Find an emoji",
  noEmoji: "There is no emoji of that name.",
  often: "Often used",
  found: "Found",
  /** Groups of emoji, by their names in Unicode's data. @type {Record<string, string>} */
  emojiGroups: {
    "Smileys & Emotion": "Smileys",
    "People & Body": "People",
    "Animals & Nature": "Animals and nature",
    "Food & Drink": "Food and drink",
    "Travel & Places": "Travel and places",
    Activities: "Activities",
    Objects: "Things",
    Symbols: "Signs",
    Flags: "Flags",
  },
  /** @param {string[]} names */
  writing: (names) =>
    names.length === 0 ? "" : `${names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`} ${names.length === 1 ? "is" : "are"} writing…`,
  manyWrite: "Several people are writing…",
  deleted: "Message deleted",
  you: "you",
  /** @param {number} n */
  others: (n) => `and ${n} more`,
  waiting: "Waiting to be sent",
  failed: { chat: "Not sent", edit: "Not changed", delete: "Not deleted" },
  changing: "This change waits to be sent",
  removing: "Waits to be deleted",
  /** Why a letter was refused, where the server's own words would not say enough. @type {Record<string, string>} */
  refusals: {
    forbidden: "this message is not yours to change",
    not_found: "that message is not there any more",
    read_only: "only moderators write here at the moment",
    too_long: "it is too long; make it shorter",
    not_joined: "you were not in the room any more",
    reads: "you can read here, not write",
  },
  /** @param {string} until @param {string} [reason] */
  muted: (until, reason) => `you are muted ${until}${reason ? ` (${reason})` : ""}`,
  edit: "Edit",
  remove: "Delete",
  sure: "Delete this message?",
  keep: "Keep",
  editing: "You are editing your message",
  cancel: "Cancel",
  save: "Save",
  blank: "A message cannot become empty; delete it instead.",
  begunAnew: "The server has lost what was said here before. The room begins anew.",
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
  wrongPassword: "That is not the password.",
  risen: "You are a moderator now.",
  enter: "Go on",
  close: "Close",
  messages: "Messages",
  deleteOne: "Delete this one",
  purge: "Delete all of theirs",
  reason: "Reason (everyone sees it)",
  howLong: "For how long",
  /** How long a mute or ban holds, in seconds; 0: for ever. @type {[string, number][]} */
  terms: [["10 minutes", 600], ["1 hour", 3600], ["1 day", 86_400], ["1 week", 604_800], ["for ever", 0]],
  where: "Where",
  thisRoom: "In this room",
  everywhere: "Everywhere on this server",
  address: "Ban their address, too",
  mute: "Mute",
  kick: "Put out",
  ban: "Ban",
  kickHint: "Who is put out may come back; who is banned may not.",
  pace: "How fast people may write",
  /** @type {[string, number][]} */
  slows: [["At their own pace", 0], ["Once in 10 s", 10], ["Once in 60 s", 60]],
  whoWrites: "Who may write",
  everyone: "Everyone",
  moderators: "Moderators only",
  holding: "Bans and mutes",
  nothingHolds: "None",
  lift: "Lift",
  forEver: "for ever",
  /** @param {string} when */
  until: (when) => `until ${when}`,
  /** @param {any} held @param {string} until */
  held: (held, until) => {
    const what = `${held.username}: ${held.action === "ban" ? "banned" : "muted"} ${until}`;
    const also = `${held.everywhere ? ", everywhere" : ""}${held.address ? ", with their address" : ""}`;
    return `${what}${also}, by ${held.by}${held.reason ? ` (${held.reason})` : ""}`;
  },
  /**
   * What a moderator did, as the room hears it.
   * @param {any} act @param {string} until @param {(name: string) => string} shown
   */
  acted: (act, until, shown) => {
    const by = shown(act.by);
    const whom = shown(act.username ?? "");
    const does = {
      kick: `${by} put ${whom} out`,
      mute: `${by} muted ${whom} ${until}`,
      ban: `${by} banned ${whom} ${until}`,
      pardon: `${by} lets ${whom} take part again`,
      purge: `${by} deleted the messages of ${whom}`,
      slow: act.seconds ? `Slow mode: one message in ${act.seconds} s` : "Slow mode is over",
      read_only: act.on ? "Only moderators can write now" : "Everyone can write again",
      topic: act.topic ? `${by} changed the topic: ${act.topic}` : `${by} took the topic away`,
      pin: `${by} ${act.on ? "pinned a message" : "took the pin off a message"}`,
    };
    const what = /** @type {Record<string, string>} */ (does)[act.action] ?? `${by} did something as a moderator`;
    return `${what}${act.reason ? `: ${act.reason}` : ""}`;
  },
  done: "Done.",
  /** What a moderator is refused, where the server's own words would not do. @type {Record<string, string>} */
  notDone: { rate_limited: "Too many tries. Wait a little." },
  silentBox: "You cannot write now",
  /** Why one may not write, by the code of what the server would say. */
  silent: {
    forbidden: () => "You can read here, not write.",
    read_only: () => "Only moderators write here at the moment.",
    /** @param {string} until @param {string} [reason] */
    muted: (until, reason) => because(`A moderator has muted you ${until}.`, reason),
  },
  /** @param {number} seconds */
  slowBox: (seconds) => `Write (one message in ${seconds} s)…`,
  /** @param {number} seconds */
  slowed: (seconds) => `Slow mode: what you wrote is sent in ${seconds} s.`,
  /** @param {string} [reason] */
  kicked: (reason) => because("A moderator put you out of the room. You may come back.", reason),
  /** @param {boolean} everywhere @param {string} until @param {string} [reason] */
  banned: (everywhere, until, reason) =>
    because(`You are banned from this ${everywhere ? "server" : "room"} ${until}.`, reason),
  taken: "This name is taken. Choose another one.",
  takenByUser: "The name that you had belongs to someone who signed in. Choose another one.",
  noEntry: "You may not be in this room.",
  badName: {
    name: "This name has characters that cannot be seen or that confuse. Choose another one.",
    room: "The room’s name has characters that cannot be seen or that confuse. Choose another one.",
  },
  /** Why one is not let in, by the refusal's code. @type {Record<string, string>} */
  refused: {
    unauthorized: "Please sign in first: this chat is for people with an account.",
    bad_token: "Your sign-in is not valid here. Sign in again.",
    token_expired: "Your sign-in has ended. Sign in again to go on.",
    token_not_yet_valid: "Your sign-in is not valid yet: a clock may be wrong. Try again later.",
    forbidden_origin: "This page comes from an address that may not use this chat.",
  },
  comeAsGuest: "Or come in as a guest:",
  /** Why one is not let in yet, by the refusal's code. @type {Record<string, string>} */
  later: {
    full: "The chat is full at the moment.",
    too_many_connections: "Too many connections from your network are open.",
    stopping: "The chat is being restarted.",
    keys_unavailable: "Sign-ins cannot be checked at the moment.",
  },
  unreachable: "The chat cannot be reached.",
  soon: "Trying again in a moment.",
  /** @param {string} when */
  ending: (when) => `Your sign-in ends at ${when}. Sign in again in another tab, and this one goes on.`,
  /** @param {number} n @param {string} room */
  leftBehind: (n, room) =>
    `${n === 1 ? "A message that you wrote" : `${n} messages that you wrote`} in ${room} ${n === 1 ? "was" : "were"} not sent.`,
  /** @param {string} name */
  goOnAs: (name) => `Go on as ${name} and send`,
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
    4403: "A moderator banned you.",
    4401: "Your sign-in has ended. Sign in again to go on.",
    4409: "You went on in another tab or window, so this one has stopped.",
  },
  final: "The server closed the connection.",
};
