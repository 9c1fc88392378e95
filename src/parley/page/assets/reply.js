/** The reply as it reads: its Markdown built as elements, and dark as far as it was heard. */

import { blocksOf, leavesOf } from "./markdown.js";
import { UNHEARD } from "./shortcomings.js";

/** @import {Block, Leaf, Part} from "./markdown.js" */

/** How a sentence ends, within whatever marks. */
const ENDED = /[.!?…。！？][\p{Pe}\p{Pf}"'*_`]*\s*$/u;

/** @typedef {{start: number, end: number, heard: HTMLElement, ahead: HTMLElement}} Text */
/** @typedef {{start: number, element: HTMLElement, texts: number}} Shown */

export class Reply {
  source = "";
  #root;
  /** The blocks as they stand, each with how many texts came before it. @type {Shown[]} */
  #blocks = [];
  /** @type {Text[]} */
  #texts = [];
  /** How many characters are dark, and how many texts are dark as a whole. */
  #heard = 0;
  #dark = 0;
  #incomplete = false;

  /** @param {HTMLElement} root */
  constructor(root) {
    this.#root = root;
  }

  /**
   * Show the reply as it is now, and which part of it was heard.
   * @param {string} source the reply so far; it only grows
   * @param {number} characters
   */
  show(source, characters) {
    if (source !== this.source) this.#write(source);
    this.#heard = Math.max(this.#heard, characters);
    this.#darken();
  }

  /** Say that the sound ended here, before the reply did. @param {string} words where any was heard */
  cut(words) {
    const first = this.#texts.find(({ ahead }) => ahead.textContent?.trim());
    if (!first) return;
    const link = first.ahead.closest("a");
    const range = document.createRange();
    range.setStartBefore(first.ahead);
    range.setEndAfter(/** @type {Node} */ (this.#root.lastChild));
    const rest = document.createElement("div");
    rest.className = "unheard";
    rest.dir = "auto"; // Its line stands where its text begins.
    rest.append(range.extractContents());
    link?.removeAttribute("data-host"); // Its end says it.
    const stopped = document.createElement("p");
    stopped.className = "stopped";
    stopped.dir = "ltr";
    stopped.textContent = this.#texts.some(({ heard }) => heard.textContent) ? words : UNHEARD;
    this.#root.append(stopped, rest);
  }

  /** Show it whole and not heard yet: it is heard again. */
  rewind() {
    this.#heard = 0;
    this.#root.replaceChildren();
    this.#blocks = [];
    this.#texts = [];
    this.#dark = 0;
    this.#write(this.source);
    this.#addEllipsis();
  }

  /** The reply's end is missing: an ellipsis says so, apart from a sentence that has ended. */
  markIncomplete() {
    if (this.#incomplete) return;
    this.#incomplete = true;
    this.#addEllipsis();
  }

  #addEllipsis() {
    this.#texts.at(-1)?.ahead.after(this.ellipsis);
  }

  /** What follows the reply where its end is missing. */
  get ellipsis() {
    if (!this.#incomplete) return "";
    return this.endsSentence ? " …" : "…";
  }

  /** Whether a sentence ends where it does. */
  get endsSentence() {
    return ENDED.test(this.source);
  }

  /** Write what has changed: the last block, and what follows it. @param {string} source */
  #write(source) {
    this.source = source;
    const last = this.#blocks.pop();
    last?.element.remove();
    this.#texts.length = last?.texts ?? 0;
    this.#dark = Math.min(this.#dark, this.#texts.length);
    for (const block of blocksOf(source, last?.start ?? 0)) {
      const texts = this.#texts.length;
      const element = this.#build(block);
      this.#root.append(element);
      this.#blocks.push({ start: block.start, element, texts });
    }
  }

  /** @param {Block} block */
  #build({ kind, first, parts }) {
    const element = document.createElement(kind === "h" ? "p" : kind);
    if (element instanceof HTMLOListElement) element.start = first;
    if (kind === "h") element.className = "heading";
    if (kind === "pre") element.dir = "ltr";
    for (const part of parts) {
      let parent = /** @type {HTMLElement} */ (element);
      if (element instanceof HTMLTableElement) {
        const row = part.row ? element.insertRow() : element.rows[element.rows.length - 1];
        parent = row.appendChild(document.createElement(element.rows.length > 1 ? "td" : "th"));
      }
      if (kind === "blockquote") parent = element.appendChild(document.createElement("p"));
      if (kind === "ul" || kind === "ol") {
        parent = document.createElement("li");
        parent.classList.toggle("deep", part.deep);
        parent.classList.toggle("bullet", part.bullet && kind === "ol");
        element.append(parent);
      }
      if (kind === "pre") this.#addLeaf(parent, { ...part, marks: [{ tag: "code" }] });
      else this.#addLeaves(parent, part);
    }
    return element;
  }

  /**
   * @param {HTMLElement} parent
   * @param {Part} part
   */
  #addLeaves(parent, part) {
    const end = part.start + this.source.slice(part.start, part.end).trimEnd().length;
    for (const leaf of leavesOf(this.source, { start: part.start, end }))
      this.#addLeaf(parent, leaf);
  }

  /**
   * @param {HTMLElement} parent
   * @param {Leaf} leaf
   */
  #addLeaf(parent, { start, end, marks }) {
    let place = parent;
    for (const { tag, href } of marks) {
      const around = document.createElement(tag);
      if (around instanceof HTMLAnchorElement && href)
        lead(around, href, this.source.slice(start, end));
      place.append(around);
      place = around;
    }
    const heard = document.createElement("span");
    const ahead = document.createElement("span");
    heard.className = "heard";
    ahead.className = "ahead";
    ahead.textContent = this.source.slice(start, end);
    place.append(heard, ahead);
    this.#texts.push({ start, end, heard, ahead });
  }

  /** Darken what was heard since the last time. */
  #darken() {
    for (; this.#dark < this.#texts.length; this.#dark += 1) {
      const { start, end, heard, ahead } = this.#texts[this.#dark];
      const place = Math.min(end, this.#heard);
      if (place > start) {
        heard.textContent = this.source.slice(start, place);
        ahead.textContent = this.source.slice(place, end);
      }
      if (this.#heard < end) break;
    }
  }
}

/**
 * Let a link lead to its page, and say to whose where its text does not.
 * @param {HTMLAnchorElement} link
 * @param {string} href
 * @param {string} text
 */
function lead(link, href, text) {
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  const host = link.hostname || link.pathname;
  if (!text.includes(host)) link.dataset.host = host;
}
