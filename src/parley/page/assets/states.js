/** What the page can be doing, in one table: what is said of it, and what leads from one to another. */

/**
 * @typedef {"idle" | "starting" | "listening" | "hearing" | "thinking" | "voicing" | "held" | "speaking"
 *   | "stalled"} ByHand
 * @typedef {"opening" | "awaiting" | "voice" | "answering" | "pondering" | "preparing" | "reading" | "weighing"
 *   | "readying" | "withheld" | "replying" | "faltering" | "interrupted" | "paused" | "calling" | "recalling"} HandsFree
 * @typedef {ByHand | HandsFree} State
 *
 * Gestures: `talk` presses Talk, `converse` the switch for a conversation, `file` brings a recording,
 * `replay` asks to hear a reply again, `stop` is Stop, Cancel, Escape, or the switch. The rest happens by
 * itself: the microphone's sound `arrives`, what was said is `sent`, a `transcript` comes, the reply is
 * `written` as far as it can be read, the voice begins (`sound`), or cannot (`silent`), runs `dry` while more is
 * awaited, or is kept back by the browser (`held`), all was heard (`done`), something went wrong (`fail`); in a
 * conversation somebody begins to speak (`voice`), or did so before the reply's voice (`ahead`), or it was a
 * `noise`, or nobody can be heard (`pause`), or what was sent is sent with what was said after it (`added`).
 * @typedef {"talk" | "converse" | "file" | "replay" | "stop" | "arrives" | "sent" | "transcript" | "written"
 *   | "sound" | "silent" | "dry" | "held" | "done" | "fail" | "voice" | "ahead" | "noise" | "pause"
 *   | "added"} Happening
 *
 * `status` says what goes on, which is true however long the service or its upstream has others wait; `late`
 * is said where it lasts, `blocked` where nobody can talk then, `waits` where the upstream's wait is not over,
 * `doubted` where what failed may fail again, and `lost` where the service is out of reach; `talk` is what Talk does then, `stop` how the button is named that
 * ends it, `how` what to do, `meanwhile` that while somebody speaks though something else goes on, and `next`
 * where each happening leads. What `next` does not name changes nothing. `looks` names the state that looks the
 * same; of a conversation, `open` is whether the microphone is.
 * @typedef {object} Row
 * @property {string} status
 * @property {string} [late]
 * @property {string} [blocked]
 * @property {string} [waits]
 * @property {string} [doubted]
 * @property {string} [lost]
 * @property {string} talk
 * @property {string} [stop]
 * @property {string} [how]
 * @property {string} [meanwhile]
 * @property {Partial<Record<Happening, State>>} next
 * @property {ByHand} [looks]
 * @property {boolean} [open]
 */

/** Every state but idle can be ended. @type {Partial<Record<Happening, State>>} */
const ENDS = { stop: "idle", fail: "idle" };
/** What was asked is given up for something else. @type {Partial<Record<Happening, State>>} */
const INTERRUPTS = { talk: "starting", file: "hearing" };
/** @type {Partial<Record<Happening, State>>} */
const BUSY = { ...ENDS, ...INTERRUPTS };
/** @type {Record<ByHand, Row>} */
const BY_HAND = {
  idle: {
    status: "Ready",
    blocked: "Not ready",
    waits: "The wait is not over",
    doubted: "Another try may fail",
    lost: "Not connected",
    talk: "Talk",
    how: "Hold Talk while you speak, or tap it.",
    next: { ...INTERRUPTS, converse: "opening", replay: "voicing", fail: "idle" },
  },
  starting: {
    status: "Opening the microphone",
    late: "Waiting for the microphone: does the browser ask you to allow it?",
    talk: "Wait",
    stop: "Cancel",
    next: { ...ENDS, file: "hearing", arrives: "listening" },
  },
  listening: {
    status: "Listening",
    talk: "Send",
    stop: "Cancel",
    next: { ...ENDS, file: "hearing", talk: "hearing", sent: "hearing" },
  },
  hearing: {
    status: "Waiting for the transcript",
    late: "Still waiting for the transcript; this can take a while",
    talk: "Talk anew",
    stop: "Cancel",
    next: { ...BUSY, transcript: "thinking" },
  },
  thinking: {
    status: "Waiting for the answer",
    late: "Still waiting for the answer; this can take a while",
    talk: "Talk anew",
    stop: "Cancel",
    next: { ...BUSY, written: "voicing", sound: "speaking", held: "held", done: "idle" },
  },
  // What is written may be all or not; a voice is made of it in either case.
  voicing: {
    status: "Waiting for the voice",
    late: "Still waiting for the voice; this can take a while",
    talk: "Talk anew",
    stop: "Cancel",
    looks: "thinking",
    next: { ...BUSY, sound: "speaking", silent: "stalled", held: "held", done: "idle" },
  },
  held: {
    status: "Waiting for a key or a click",
    talk: "Talk anew",
    stop: "Cancel",
    next: { ...BUSY, sound: "speaking", done: "idle" },
  },
  speaking: {
    status: "Speaking",
    talk: "Interrupt",
    stop: "Stop",
    next: { ...BUSY, replay: "voicing", dry: "stalled", held: "held", done: "idle" },
  },
  stalled: {
    status: "Waiting for the rest",
    late: "Still waiting for the rest; this can take a while",
    talk: "Talk anew",
    stop: "Stop",
    looks: "thinking",
    next: { ...BUSY, replay: "voicing", sound: "speaking", done: "idle" },
  },
};

/**
 * While the microphone is open, a failure does not end the conversation.
 * @type {Partial<Record<Happening, State>>}
 */
const OPEN = { stop: "idle", talk: "paused", pause: "paused", fail: "awaiting", file: "reading" };
/** What is said where somebody speaks. */
export const HEARS = "Hearing you; silence sends it";
/** The microphone is open. */
const HEARD = { talk: "Pause", open: true };
/** A reply is heard. @type {Pick<Row, "talk" | "open" | "how" | "next">} */
const ANSWERS = {
  ...HEARD,
  how: "Speak to interrupt. Pause ends this reply.",
  next: { ...OPEN, voice: "interrupted", replay: "readying", done: "awaiting" },
};
/** What was said is under way: there may be more of it. @type {Partial<Row>} */
const SAID = {
  how: "Speak on if you had not finished.",
  meanwhile: "It is sent with what you said before.",
  next: { ...OPEN, added: "answering" },
};
/** A file is, or a recording once more, to which nobody adds. @type {Partial<Row>} */
const IN_FILE = {
  how: "Pause cancels it.",
  meanwhile: "It is asked instead.",
  next: { ...OPEN, sent: "answering" },
};
/** @type {Partial<Record<Happening, State>>} */
const SPEAKS = { sound: "replying", done: "awaiting" };

/**
 * The row of a question that is under way in a conversation.
 * @param {Partial<Row>} asked
 * @param {"hearing" | "thinking" | "voicing"} stage
 * @param {Partial<Record<Happening, State>>} next
 * @returns {Row}
 */
function underWay(asked, stage, next) {
  const { status, late, looks = stage } = BY_HAND[stage];
  const row = { ...asked, ...HEARD, status, late, looks };
  return { ...row, next: { ...asked.next, ...next } };
}
/** The microphone is closed. @type {Partial<Record<Happening, State>>} */
const CLOSED = { stop: "idle", talk: "opening", file: "hearing", replay: "calling" };
/** @type {Partial<Record<Happening, State>>} */
const RECALLS = { ...CLOSED, fail: "paused", pause: "paused", done: "paused" };

/** @type {Record<HandsFree, Row>} */
const HANDS_FREE = {
  opening: {
    status: BY_HAND.starting.status,
    late: BY_HAND.starting.late,
    talk: "Wait",
    looks: "starting",
    next: { ...ENDS, arrives: "awaiting", pause: "paused" },
  },
  awaiting: {
    status: "Listening",
    ...HEARD,
    how: "Just speak. Pause closes the microphone.",
    looks: "listening",
    next: { ...OPEN, voice: "voice", replay: "readying" },
  },
  voice: {
    status: HEARS,
    ...HEARD,
    how: "Pause sends nothing.",
    looks: "listening",
    next: { ...OPEN, sent: "answering", noise: "awaiting" },
  },
  answering: underWay(SAID, "hearing", { transcript: "pondering" }),
  pondering: underWay(SAID, "thinking", { ...SPEAKS, written: "preparing" }),
  preparing: underWay(SAID, "voicing", { ...SPEAKS, silent: "pondering" }),
  reading: underWay(IN_FILE, "hearing", { transcript: "weighing" }),
  weighing: underWay(IN_FILE, "thinking", { ...SPEAKS, written: "readying" }),
  readying: underWay(IN_FILE, "voicing", { ...SPEAKS, silent: "weighing" }),
  withheld: {
    status: HEARS,
    ...HEARD,
    how: "The reply comes if no voice was heard.",
    looks: "listening",
    next: { ...OPEN, added: "answering", sent: "answering", noise: "replying" },
  },
  replying: {
    ...ANSWERS,
    status: BY_HAND.speaking.status,
    looks: "speaking",
    next: { ...ANSWERS.next, ahead: "withheld", dry: "faltering" },
  },
  faltering: {
    ...ANSWERS,
    status: BY_HAND.stalled.status,
    late: BY_HAND.stalled.late,
    looks: "thinking",
    next: { ...ANSWERS.next, sound: "replying" },
  },
  interrupted: {
    status: "Interrupted; silence sends what you say",
    ...HEARD,
    how: "The reply goes on if no voice was heard.",
    looks: "listening",
    next: { ...OPEN, sent: "answering", noise: "replying" },
  },
  paused: {
    status: "Paused; the microphone is closed",
    talk: "Go on",
    how: "Go on, or end it with the switch.",
    looks: "idle",
    next: { ...CLOSED, fail: "paused" }, // What still lacks as it is to go on is told again.
  },
  calling: {
    status: "Waiting for the voice; the microphone is closed",
    talk: "Go on",
    looks: "thinking",
    next: { ...RECALLS, sound: "recalling" },
  },
  recalling: {
    status: "Speaking; the microphone is closed",
    talk: "Go on",
    how: "Go on stops the voice, and listens.",
    looks: "speaking",
    next: RECALLS,
  },
};

/** @type {Record<State, Row>} */
export const STATES = { ...BY_HAND, ...HANDS_FREE };

/** Whether the state is a conversation's. @param {State} state */
export function isHandsFree(state) {
  return state in HANDS_FREE;
}
