/** What the page can be doing, in one table: what is said of it, and what leads from one to another. */

/**
 * @typedef {"idle" | "starting" | "listening" | "hearing" | "thinking" | "held" | "speaking" | "stalled"} ByHand
 * @typedef {"opening" | "awaiting" | "voice" | "answering" | "pondering" | "replying" | "faltering"
 *   | "interrupted" | "paused" | "recalling"} HandsFree
 * @typedef {ByHand | HandsFree} State
 *
 * Gestures: `talk` presses Talk, `converse` the switch for a conversation, `file` brings a recording,
 * `replay` asks to hear a reply again, `stop` is Stop, Cancel, Escape, or the switch. The rest happens by
 * itself: the microphone's sound `arrives`, what was said is `sent`, a `transcript` comes, the voice begins
 * (`sound`), runs `dry` while more is awaited, or is kept back by the browser (`held`), all was heard
 * (`done`), something went wrong (`fail`); in a conversation somebody begins to speak (`voice`), or it was a
 * `noise`, or nobody can be heard (`pause`), or what was sent is sent with what was said after it (`added`).
 * @typedef {"talk" | "converse" | "file" | "replay" | "stop" | "arrives" | "sent" | "transcript" | "sound"
 *   | "dry" | "held" | "done" | "fail" | "voice" | "noise" | "pause" | "added"} Happening
 *
 * `status` says what goes on, `late` what is said where it lasts, `blocked` where nobody can talk then, and
 * `lost` where the service is out of reach;
 * `talk` is what Talk does then, `stop` how the button is named that ends it, `how` what to do, and `next` where each happening leads. What
 * `next` does not name changes nothing. `looks` names the state that looks the same; of a conversation,
 * `open` is whether the microphone is.
 * @typedef {object} Row
 * @property {string} status
 * @property {string} [late]
 * @property {string} [blocked]
 * @property {string} [lost]
 * @property {string} talk
 * @property {string} [stop]
 * @property {string} [how]
 * @property {Partial<Record<Happening, State>>} next
 * @property {ByHand} [looks]
 * @property {boolean} [open]
 */

/** Every state but idle can be ended. @type {Partial<Record<Happening, State>>} */
const ENDS = { stop: "idle", fail: "idle" };
/** What was asked is given up for something else. @type {Partial<Record<Happening, State>>} */
const INTERRUPTS = { talk: "starting", file: "hearing" };

/** @type {Record<ByHand, Row>} */
const BY_HAND = {
  idle: {
    status: "Ready",
    blocked: "Not ready",
    lost: "Not connected",
    talk: "Talk",
    how: "Hold Talk while you speak, or tap it.",
    next: { ...INTERRUPTS, converse: "opening", replay: "speaking", fail: "idle" },
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
    status: "Hearing what was said",
    late: "Still hearing; this can take a while",
    talk: "Ask anew",
    stop: "Cancel",
    next: { ...ENDS, ...INTERRUPTS, transcript: "thinking" },
  },
  thinking: {
    status: "Answering",
    late: "Still answering; this can take a while",
    talk: "Ask anew",
    stop: "Cancel",
    next: { ...ENDS, ...INTERRUPTS, sound: "speaking", held: "held", done: "idle" },
  },
  held: {
    status: "Ready to speak",
    talk: "Ask anew",
    stop: "Cancel",
    next: { ...ENDS, ...INTERRUPTS, sound: "speaking", done: "idle" },
  },
  speaking: {
    status: "Speaking",
    talk: "Interrupt",
    stop: "Stop",
    next: {
      ...ENDS,
      ...INTERRUPTS,
      replay: "speaking",
      dry: "stalled",
      held: "held",
      done: "idle",
    },
  },
  stalled: {
    status: "Answering",
    late: "Still answering; this can take a while",
    talk: "Interrupt",
    stop: "Stop",
    looks: "thinking",
    next: { ...ENDS, ...INTERRUPTS, replay: "speaking", sound: "speaking", done: "idle" },
  },
};

const [LATE_HEARING, LATE_THINKING] = [BY_HAND.hearing.late, BY_HAND.thinking.late];
/**
 * While the microphone is open, a failure does not end the conversation.
 * @type {Partial<Record<Happening, State>>}
 */
const OPEN = { stop: "idle", talk: "paused", pause: "paused", fail: "awaiting", file: "answering" };

/** @type {Record<HandsFree, Row>} */
const HANDS_FREE = {
  opening: {
    status: BY_HAND.starting.status,
    late: BY_HAND.starting.late,
    talk: "Wait",
    looks: "starting",
    next: { ...ENDS, arrives: "awaiting" },
  },
  awaiting: {
    status: "Listening",
    talk: "Pause",
    how: "Just speak. Pause closes the microphone.",
    looks: "listening",
    open: true,
    next: { ...OPEN, voice: "voice", replay: "replying" },
  },
  voice: {
    status: "Hearing you; silence sends it",
    talk: "Pause",
    how: "Pause sends nothing.",
    looks: "listening",
    open: true,
    next: { ...OPEN, sent: "answering", noise: "awaiting" },
  },
  answering: {
    status: BY_HAND.hearing.status,
    late: LATE_HEARING,
    talk: "Pause",
    how: "Speak on if you had not finished.",
    looks: "hearing",
    open: true,
    next: { ...OPEN, added: "answering", transcript: "pondering" },
  },
  pondering: {
    status: "Answering",
    late: LATE_THINKING,
    talk: "Pause",
    how: "Speak on if you had not finished.",
    looks: "thinking",
    open: true,
    next: { ...OPEN, added: "answering", sound: "replying", done: "awaiting" },
  },
  replying: {
    status: "Speaking",
    talk: "Pause",
    how: "Speak to interrupt. Pause ends this reply.",
    looks: "speaking",
    open: true,
    next: {
      ...OPEN,
      voice: "interrupted",
      replay: "replying",
      dry: "faltering",
      done: "awaiting",
    },
  },
  faltering: {
    status: BY_HAND.stalled.status,
    late: BY_HAND.stalled.late,
    talk: "Pause",
    how: "Speak to interrupt. Pause ends this reply.",
    looks: "thinking",
    open: true,
    next: {
      ...OPEN,
      voice: "interrupted",
      replay: "replying",
      sound: "replying",
      done: "awaiting",
    },
  },
  interrupted: {
    status: "Interrupted; silence sends what you say",
    talk: "Pause",
    how: "The reply goes on if no voice was heard.",
    looks: "listening",
    open: true,
    next: { ...OPEN, sent: "answering", noise: "replying" },
  },
  paused: {
    status: "Paused; the microphone is closed",
    talk: "Go on",
    how: "Go on, or end it with the switch.",
    looks: "idle",
    next: { ...ENDS, talk: "opening", file: "hearing", replay: "recalling" },
  },
  recalling: {
    status: "Speaking; the microphone is closed",
    talk: "Go on",
    how: "Go on stops the voice, and listens.",
    looks: "speaking",
    next: {
      stop: "idle",
      fail: "paused",
      pause: "paused",
      done: "paused",
      talk: "opening",
      file: "hearing",
      replay: "recalling",
    },
  },
};

/** @type {Record<State, Row>} */
export const STATES = { ...BY_HAND, ...HANDS_FREE };

/** Whether the state is a conversation's. @param {State} state */
export function isHandsFree(state) {
  return state in HANDS_FREE;
}
