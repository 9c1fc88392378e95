/** The picture of a turn's time: its stages and segments as bars, side by side where they ran so. */

/** @import {ServiceEvent} from "./events.js" */

const SVG = "http://www.w3.org/2000/svg";
const BAR = 6;
const ROW = 10;
/** How often it is drawn while it grows: a long reply has hundreds of bars. */
const DRAWN_MILLISECONDS = 250;

/** @typedef {{kind: "hear" | "think" | "speak", from: number, to: number}} Span */

export class Timing {
  /** @type {Span} */
  #hear = { kind: "hear", from: 0, to: 0 };
  /** @type {Span | null} */
  #think = null;
  /** @type {Span[]} */
  #speak = [];
  /** When speech was asked for of which nothing has come yet. @type {number | null} */
  #began = null;
  /** How much later than by the service's clock something is here, since when it was sent. @type {number | null} */
  #lag = null;
  /** When its sound began here; 0 where none was heard. */
  firstSound = 0;
  /** When it was drawn last. */
  #drawn = 0;
  /** Whether the reply's last word is known to have come, and all of its speech. */
  #whole = false;
  #spoken = false;

  /** @param {() => number} clock in milliseconds; it is sent now */
  constructor(clock = () => performance.now()) {
    const sent = clock();
    this.now = () => clock() - sent;
  }

  /** Its sound begins, or goes on. */
  begin() {
    this.firstSound ||= this.now();
  }

  /** @param {ServiceEvent} event */
  add({ name, data }) {
    this.#lag ??= this.now() - data.at;
    const at = data.at + this.#lag;
    if (name === "transcript") this.#hear.to = at;
    if (name === "text") {
      this.#think ??= { kind: "think", from: this.#hear.to, to: at };
      this.#think.to = at;
    }
    // Of a segment without sound no speech was made.
    if (name === "segment") this.#began = data.began + this.#lag;
    if (name === "audio" && data.data) {
      if (this.#began !== null) this.#speak.push({ kind: "speak", from: this.#began, to: at });
      this.#began = null;
      this.#speak[this.#speak.length - 1].to = at;
    }
    if (name === "done") {
      this.#whole = !data.failure || data.failure.ofSpeech;
      this.#spoken = !data.failure || data.failure.endsText;
    }
  }

  /** What the bars mean and how long they are, and the one figure of all; blank where there is none. */
  get legend() {
    return {
      figure: inSeconds(this.firstSound || (this.#think?.to ?? 0)),
      meaning: `from sending to ${this.firstSound ? "the first sound" : this.#lastWord}`,
      hear: lasting("sending and hearing", [this.#hear]),
      think: lasting("thinking", this.#think ? [this.#think] : []),
      speak: lasting("making speech", this.#speak),
    };
  }

  get #lastWord() {
    return this.#whole ? "its last word" : "the last word that came";
  }

  /** All of it in words, for whom cannot see the picture: what has happened, while it grows and then. */
  get description() {
    const heard = `heard after ${inSeconds(this.#hear.to)}`;
    const thought = this.#think
      ? `, ${this.#whole ? "reply written after" : "words came until"} ${inSeconds(this.#think.to)}`
      : "";
    const last = this.#speak.at(-1);
    const count = this.#speak.length;
    const all = count === 1 ? "all of its speech" : `all of its ${count} segments`;
    const first = this.firstSound ? `, first sound after ${inSeconds(this.firstSound)}` : "";
    const came = this.#spoken ? `${all} after` : "speech came until";
    const spoken = last ? `, ${came} ${inSeconds(last.to)}` : "";
    return `Time since it was sent: ${heard}${thought}${first}${spoken}.`;
  }

  /**
   * Show it, while it grows no more often than is seen.
   * @param {HTMLElement} place the picture, what it means, and its figure
   * @param {boolean} over
   */
  draw(place, over) {
    if (!over && this.now() - this.#drawn < DRAWN_MILLISECONDS) return;
    this.#drawn = this.now();
    place.hidden = false;
    for (const [kind, words] of Object.entries(this.legend)) {
      const part = /** @type {HTMLElement} */ (
        place.querySelector(`:is(summary, .legend) .${kind}`)
      );
      part.textContent = words;
      part.hidden = !words;
    }
    this.#drawBars(/** @type {SVGElement} */ (place.querySelector("svg")));
  }

  /** @param {SVGElement} svg */
  #drawBars(svg) {
    const rows = [[this.#hear], this.#think ? [this.#think] : [], ...lanes(this.#speak)];
    const spans = rows.flat();
    const whole = Math.max(1, this.firstSound, ...spans.map(({ to }) => to));
    svg.setAttribute("height", String(rows.length * ROW));
    svg.setAttribute("aria-label", this.description);
    svg.replaceChildren(
      ...rows.flatMap((row, index) => row.map((span) => bar(span, index, whole))),
      ...(this.firstSound ? [mark(this.firstSound, whole)] : []),
    );
  }
}

/**
 * The spans in as few rows as hold them without overlap.
 * @param {Span[]} spans
 */
function lanes(spans) {
  /** @type {Span[][]} */
  const found = [];
  for (const span of spans) {
    const lane = found.find((row) => /** @type {Span} */ (row.at(-1)).to <= span.from);
    if (lane) lane.push(span);
    else found.push([span]);
  }
  return found;
}

/**
 * @param {Span} span
 * @param {number} row
 * @param {number} whole
 */
function bar({ kind, from, to }, row, whole) {
  const share = (/** @type {number} */ time) => `${(100 * time) / whole}%`;
  return shape("rect", {
    class: kind,
    x: share(from),
    y: String(row * ROW),
    // At least a sliver: what was too fast to draw has happened, too.
    width: share(Math.max(to - from, whole / 150)),
    height: String(BAR),
    rx: "2",
  });
}

/**
 * @param {number} time
 * @param {number} whole
 */
function mark(time, whole) {
  const x = `${(100 * time) / whole}%`;
  return shape("line", { class: "first-sound", x1: x, x2: x, y1: "0", y2: "100%" });
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * How long it took in all: the spans, each of which begins after the one before it, without overlap.
 * @param {string} word
 * @param {Span[]} spans
 */
function lasting(word, spans) {
  let [sum, end] = [0, 0];
  for (const { from, to } of spans) {
    sum += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return spans.length ? `${word} ${inSeconds(sum)}` : "";
}

/** @param {number} milliseconds */
function inSeconds(milliseconds) {
  return milliseconds < 50 ? "less than 0.1 s" : `${(milliseconds / 1000).toFixed(1)} s`;
}
