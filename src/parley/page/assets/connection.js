/** Whether the service is there: asked what it offers, and looked for again while it is out of reach. */

import { element } from "./elements.js";
import { Failure } from "./failures.js";

/** @import {Offer} from "./offer.js" */
/** @import {View} from "./view.js" */

const LOOK_MILLISECONDS = 5000;

export class Connection {
  /** @type {Promise<void> | null} */
  #asking = null;
  /** Asks it once more; there is nothing else to try where that failed. */
  again = () => {
    this.ask();
  };

  /**
   * @param {View} view
   * @param {(offer: Offer) => void} onoffer called each time that the service has answered
   */
  constructor(view, onoffer) {
    this.view = view;
    this.onoffer = onoffer;
    const look = () => view.isLost && this.#asking === null && this.#look(false);
    setInterval(look, LOOK_MILLISECONDS);
    addEventListener("online", look);
  }

  /** Ask it what it offers, once at a time; nothing can be said before. */
  ask() {
    element("status").textContent = "Loading";
    this.#asking ??= this.#look(true).finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  /** See whether it is still there; what was told stays. */
  async check() {
    // Where nothing is told any more, something else has begun.
    await fetch("page.json").catch(() => this.view.told && this.view.lose());
  }

  /** @param {boolean} asked whether somebody waits for it, who is told then */
  async #look(asked) {
    /** @type {Offer} */
    let offer;
    try {
      const answer = await fetch("page.json");
      offer = await answer.json();
    } catch {
      this.view.lose();
      if (asked && !this.view.told) this.view.fail(new Failure("unreachable"), this.again);
      return;
    }
    this.onoffer(offer);
  }
}
