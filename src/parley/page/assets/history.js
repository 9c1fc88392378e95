/** What the model is told of the conversation so far. */

/** The most that the service takes. */
const MOST_ENTRIES = 100;
const MOST_BYTES = 256 * 1024;

/** @typedef {{role: "user" | "assistant", content: string}} Entry */

export class History {
  /** Never changed in place: who keeps it can put it back. @type {readonly Entry[]} */
  entries = [];

  /**
   * Add what was said; two of one role in a row become one, since many models take turns strictly.
   * @param {Entry["role"]} role
   * @param {string} content
   */
  add(role, content) {
    const text = content.trim();
    const last = this.entries.at(-1);
    if (!text) return;
    if (last?.role !== role) this.entries = [...this.entries, { role, content: text }];
    else this.entries = this.entries.with(-1, { role, content: `${last.content}\n${text}` });
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
    this.#drop(Math.ceil(before / 2));
    return this.entries.length < before;
  }

  clear() {
    this.entries = [];
  }

  get json() {
    return this.entries.length ? JSON.stringify(this.entries) : "";
  }

  /** @param {number} entries how many at least; what is left begins with the user */
  #drop(entries) {
    const next = this.entries[entries]?.role === "assistant" ? entries + 1 : entries;
    this.entries = this.entries.slice(next);
  }
}

/** @param {string} text */
function bytes(text) {
  return new TextEncoder().encode(text).length;
}
