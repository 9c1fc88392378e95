/** A field for a key: what is typed is taken out of the document and kept in memory alone. */

import { element, field, keepFocus } from "./elements.js";

export class Secret {
  value = "";
  #id;
  #onchange;
  #noun;

  /**
   * @param {string} id the field's; the button that forgets the key is this and `-forget`
   * @param {() => void} onchange called once a key was taken or forgotten
   * @param {string} noun what it is
   */
  constructor(id, onchange, noun = "key") {
    this.#id = id;
    this.#onchange = onchange;
    this.#noun = noun;
    field(id).addEventListener("change", () => this.take());
    element(`${id}-forget`).addEventListener("click", () => {
      this.forget();
      field(id).focus();
      keepFocus(field(id), element("settings-title"));
    });
  }

  /**
   * Take what was typed out of the document; browsers tell of no change where a dialog closes. What no
   * key can be stays to be mended until then.
   */
  take(closed = false) {
    const { value, validity } = field(this.#id);
    if (value.trim() && validity.valid) this.#set(value.trim());
    else if (closed) field(this.#id).value = "";
  }

  /** Keep it no longer. */
  forget() {
    this.#set("");
  }

  /** @param {string} value */
  #set(value) {
    this.value = value;
    field(this.#id).value = "";
    field(this.#id).placeholder = value ? `A ${this.#noun} is set` : "";
    element(`${this.#id}-forget`).hidden = !value;
    this.#onchange();
  }
}
