/** What stays so, told or not, until it is mended: of the microphone, and of each stage. */

import { block, doubt } from "./dock.js";

/** @import {Failure} from "./failures.js" */

/** Which events of an answer show that a stage works. @type {Record<string, string>} */
const SHOWS = { transcript: "stt", text: "text", audio: "tts" };

/** What it is of; before a transcript comes, nothing shows that a request is taken. @param {Failure} failure */
function placeOf({ code, blocks, inSettings, stage }) {
  if ((blocks && !inSettings) || code === "microphone_lost") return "microphone";
  return ["text", "tts"].includes(stage) ? stage : "stt";
}

export class Standing {
  /** By what it is of. @type {Map<string, Failure>} */
  #failures = new Map();
  #oncount;

  /** @param {(failure: Failure, seconds: number) => void} oncount called each second of a wait, and at its end */
  constructor(oncount) {
    this.#oncount = oncount;
  }

  /** The last that only Settings mend: whatever is said before they do is said in vain. */
  get asked() {
    return [...this.#failures.values()].findLast(({ inSettings }) => inSettings) ?? null;
  }

  /** @param {Failure} failure */
  add(failure) {
    if (/^no_speech/.test(failure.code)) this.show("transcript"); // It was heard.
    const place = placeOf(failure);
    // The stage's upstream has answered otherwise since; and so that it is the last.
    if (failure.upstreamStatus || failure.stands) this.#failures.delete(place);
    if (failure.stands) this.#failures.set(place, failure);
    this.#tell();
    this.#count(failure);
  }

  /** Such failures are mended. @param {(failure: Failure) => boolean} are */
  mend(are) {
    for (const [place, failure] of this.#failures) if (are(failure)) this.#failures.delete(place);
    this.#tell();
  }

  /** An event of an answer came: what it is of works. @param {string} event its name */
  show(event) {
    const shown = this.#failures.get(SHOWS[event]);
    if (shown) this.mend((failure) => failure === shown);
  }

  #tell() {
    const failures = [...this.#failures.values()];
    block(
      "failure",
      failures.some(({ blocks }) => blocks),
    );
    block("asked", this.asked?.code === "api_key_asked");
    doubt(
      "waits",
      failures.some(({ retryAfter }) => retryAfter),
    );
    doubt(
      "doubted",
      failures.some(({ lasts }) => lasts),
    );
  }

  /** Count a wait down. @param {Failure} failure */
  #count(failure) {
    const end = Date.now() + 1000 * (failure.retryAfter || Number.NaN);
    if (!end) return;
    const ticks = setInterval(() => {
      const stands = this.#failures.get(placeOf(failure)) === failure;
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      if (!stands || !left) clearInterval(ticks);
      if (!stands) return;
      if (!left) this.mend((one) => one === failure);
      this.#oncount(failure, left);
    }, 1000);
  }
}
