/** Talk by hand: a microphone for each recording, which Talk opens and sends (see states.js). */

import { asFailure, Failure } from "./failures.js";
import { Microphone } from "./microphone.js";

/** @import {Session} from "./session.js" */

export class ByHand {
  /** The last that was opened. @type {Microphone | null} */
  microphone = null;

  /** @param {Session} session */
  constructor(session) {
    this.session = session;
  }

  /** Listen, whatever goes on; or, while listening, send what was said. */
  async talk() {
    const { session } = this;
    if (session.state === "listening") return this.finish("talk");
    const signal = session.begin("talk");
    if (!signal) return;
    try {
      const microphone = await Microphone.open(session.microphone());
      if (signal.aborted) return microphone.cancel();
      signal.addEventListener("abort", () => microphone.cancel());
      this.microphone = microphone;
      session.enter("arrives");
      session.view.mend(/^microphone_/);
      microphone.onmuted = () => session.view.mute(microphone);
      if (microphone.silenced) microphone.onmuted();
      microphone.stopped.then(() => this.#lose(microphone));
    } catch (error) {
      if (!signal.aborted) session.fail(asFailure(error, "microphone_busy"));
    }
  }

  /** Send what was said now that a held Talk was let go, if anything could be heard by then. */
  letGo() {
    if (this.session.state === "starting") this.session.fail(new Failure("let_go_early"));
    else this.finish();
  }

  /** While listening, send what was said. @param {"talk" | "sent"} how */
  async finish(how = "sent") {
    const { microphone, session } = this;
    if (session.state !== "listening" || !microphone) return;
    const { signal } = session;
    session.enter(how);
    const recording = await microphone.finish();
    if (signal.aborted) return;
    if (recording.size) await session.send({ recording, fileName: microphone.fileName });
    else session.fail(new Failure("nothing_recorded"));
  }

  /** Nobody stopped the microphone, but it did. @param {Microphone} microphone */
  #lose(microphone) {
    const { session } = this;
    if (session.state !== "listening" || this.microphone !== microphone) return;
    const { recording, fileName } = microphone;
    if (recording.size) session.keep(() => session.send({ recording, fileName }));
    session.fail(new Failure("microphone_lost"));
  }
}
