/** Whether the service is there: asked what it offers, and looked for again while it is out of reach. */

import { element } from "./elements.js";
import { Failure } from "./failures.js";

/** @import {Offer} from "./offer.js" */
/** @import {View} from "./view.js" */

const LOOK_MILLISECONDS = 5000;

export class Connection {
  /** @type {Promise<void> | null} */
  #asking = null;

  /**
   * @param {View} view
   * @param {(offer: Offer) => void} onoffer called each time that the service has answered
   */
  constructor(view, onoffer) {
    this.view = view;
    this.onoffer = onoffer;
    const look = () => view.isLost && this.#asking === null && this.#look();
    setInterval(look, LOOK_MILLISECONDS);
    addEventListener("online", look);
  }

  /** Ask it what it offers, once at a time; nothing can be said before. */
  ask() {
    element("status").textContent = "Loading";
    this.#asking ??= this.#look().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** See whether it is still there; what was told stays. */
  async check() {
    await fetch("page.json").catch(() => this.view.lose());
  }

  async #look() {
    /** @type {Offer} */
    let offer;
    try {
      const answer = await fetch("page.json");
      offer = await answer.json();
    } catch {
      if (this.view.isLost) this.view.lose();
      else this.view.fail(new Failure("unreachable"), () => this.ask());
      return;
    }
    this.onoffer(offer);
  }
}
