/** What the model is told of the conversation so far. */

/** The most that the service takes. */
const MOST_ENTRIES = 100;
const MOST_BYTES = 256 * 1024;
const UNHEARD = "…";

/** @typedef {{role: "user" | "assistant", content: string}} Entry */

export class History {
  /** Never changed in place: who keeps it can put it back. @type {readonly Entry[]} */
  entries = [];

  /**
   * Add a turn. Of a reply that was not heard an ellipsis tells: many models take turns strictly.
   * @param {string} said
   * @param {string} heard
   */
  add(said, heard) {
    if (!said.trim()) return;
    this.entries = [
      ...this.entries,
      { role: "user", content: said.trim() },
      { role: "assistant", content: heard.trim() || UNHEARD },
    ];
  }

  /** Drop the oldest turns until the rest may be sent; true where that was needed. */
  fit() {
    const before = this.entries.length;
    while (this.entries.length > MOST_ENTRIES || bytes(this.json) > MOST_BYTES) this.#drop(1);
    return this.entries.length < before;
  }

  /** Drop the older half, for a model that takes less; true where there was anything. */
  halve() {
    const before = this.entries.length;
    this.#drop(Math.ceil(before / 4));
    return this.entries.length < before;
  }

  clear() {
    this.entries = [];
  }

  get json() {
    return this.entries.length ? JSON.stringify(this.entries) : "";
  }

  /** The same to be saved, without turns of whose reply nothing was heard: nobody has said an ellipsis. */
  get saved() {
    const { entries } = this;
    const heard = (/** @type {number} */ index) => entries[index | 1].content !== UNHEARD;
    return JSON.stringify(entries.filter((_, index) => heard(index)));
  }

  /** @param {number} turns */
  #drop(turns) {
    this.entries = this.entries.slice(2 * turns);
  }
}

/** @param {string} text */
function bytes(text) {
  return new TextEncoder().encode(text).length;
}
