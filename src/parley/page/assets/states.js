/** What the page can be doing, in one table: what is said of it, and what leads from one to another. */

/**
 * @typedef {"idle" | "starting" | "listening" | "hearing" | "thinking" | "held" | "speaking"} State
 *
 * Gestures: `talk` presses Talk, `file` brings a recording, `replay` asks to hear a reply again,
 * `stop` is Stop, Cancel or Escape. The rest happens by itself: the microphone's sound `arrives`, what
 * was said is `sent`, a `transcript` comes, the voice begins (`sound`) or is kept back by the browser
 * (`held`), all was heard (`done`), something went wrong (`fail`).
 * @typedef {"talk" | "file" | "replay" | "stop" | "arrives" | "sent" | "transcript" | "sound" | "held"
 *   | "done" | "fail"} Happening
 *
 * `status` says what goes on, and `late` what is said where it lasts; `talk` is what Talk does then,
 * `stop` how the button is named that ends it, and `next` where each happening leads. What `next` does
 * not name changes nothing.
 * @typedef {object} Row
 * @property {string} status
 * @property {string} [late]
 * @property {string} talk
 * @property {string} [stop]
 * @property {Partial<Record<Happening, State>>} next
 */

/** Every state but idle can be ended. @type {Partial<Record<Happening, State>>} */
const ENDS = { stop: "idle", fail: "idle" };
/** What was asked is given up for something else. @type {Partial<Record<Happening, State>>} */
const INTERRUPTS = { talk: "starting", file: "hearing" };

/** @type {Record<State, Row>} */
export const STATES = {
  idle: {
    status: "Ready",
    talk: "Talk",
    next: { ...INTERRUPTS, replay: "speaking", fail: "idle" },
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
    status: "Hearing what you said",
    late: "Still hearing what you said; the first answer can take a while",
    talk: "Interrupt",
    stop: "Cancel",
    next: { ...ENDS, ...INTERRUPTS, transcript: "thinking" },
  },
  thinking: {
    status: "Thinking",
    late: "Still thinking; the first answer can take a while",
    talk: "Interrupt",
    stop: "Cancel",
    next: { ...ENDS, ...INTERRUPTS, sound: "speaking", held: "held", done: "idle" },
  },
  held: {
    status: "Ready to speak",
    talk: "Interrupt",
    stop: "Cancel",
    next: { ...ENDS, ...INTERRUPTS, sound: "speaking", done: "idle" },
  },
  speaking: {
    status: "Speaking",
    talk: "Interrupt",
    stop: "Stop",
    next: { ...ENDS, ...INTERRUPTS, replay: "speaking", held: "held", done: "idle" },
  },
};
