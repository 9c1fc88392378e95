/** What the model is told of the conversation so far. */

/** The most that the service takes. */
const MOST_ENTRIES = 100;
const MOST_BYTES = 256 * 1024;
const UNHEARD = "…";

/** @typedef {{role: "user" | "assistant", content: string}} Entry */

export class History {
  /** Never added to in place: who keeps it can put it back. @type {readonly Entry[]} */
  entries = [];

  /**
   * Add a turn. Of a reply that was not heard an ellipsis tells: many models take turns strictly.
   * @param {string} said
   * @param {string} heard
   * @returns {Entry | null} what tells of the reply
   */
  add(said, heard) {
    if (!said.trim()) return null;
    /** @type {Entry} */
    const reply = { role: "assistant", content: heard.trim() || UNHEARD };
    this.entries = [...this.entries, { role: "user", content: said.trim() }, reply];
    return reply;
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

  /**
   * The same to be saved. Nobody has said an ellipsis: what was said before a reply of which nothing was heard
   * stands before what was said next, since many models take turns strictly.
   */
  get saved() {
    /** @type {Entry[]} */
    const saved = [];
    for (const { role, content } of this.entries) {
      if (role === "assistant" && content === UNHEARD) continue;
      const open = saved.at(-1)?.role === role ? saved.pop() : null;
      saved.push({ role, content: open ? `${open.content}\n${content}` : content });
    }
    return JSON.stringify(saved);
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
