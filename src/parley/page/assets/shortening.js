/** Asks the service, and drops the oldest turns of a conversation that has grown too long. */

import { Failure } from "./failures.js";

/** @import {ServiceEvent} from "./events.js" */
/** @import {Entry, History} from "./history.js" */

const DROPPED = "The conversation grew too long: its oldest turns are no longer sent.";
/**
 * How models answer when they were sent too much, and when something else was wrong, too: OpenAI,
 * vLLM and llama.cpp say 400, others 413. Their words and codes differ, so only a trial tells.
 */
const REFUSALS = [400, 413];
/** How often less is sent, since the recording is recognised anew each time. */
const MOST_TRIALS = 2;

/**
 * The answer's events. Turns are dropped for good only where that helped, and then it is said.
 * @param {History} history
 * @param {() => AsyncGenerator<ServiceEvent>} ask sends the question with the history as it is
 * @param {(sentence: string) => void} say
 * @returns {AsyncGenerator<ServiceEvent>}
 */
export async function* askWithin(history, ask, say) {
  if (history.fit()) say(DROPPED);
  const whole = history.entries;
  /** @type {readonly Entry[]} */
  let dropped = [];
  for (let trial = 0; ; trial += 1) {
    let told = trial === 0;
    try {
      for await (const event of ask()) {
        if (!told && event.name === "text") {
          say(DROPPED);
          told = true;
        }
        yield event;
      }
      return;
    } catch (error) {
      if (trial < MOST_TRIALS && mayBeTooLong(error) && history.halve()) {
        dropped = whole.slice(0, whole.length - history.entries.length);
        continue;
      }
      // Who interrupts may have cleared the conversation, which then stays cleared.
      const cleared = !(error instanceof Failure) && history.entries.length === 0;
      if (!told && !cleared) history.entries = [...dropped, ...history.entries];
      throw error;
    }
  }
}

/** @param {unknown} error */
function mayBeTooLong(error) {
  return (
    error instanceof Failure &&
    error.stage === "text" &&
    error.code === "upstream_rejected" &&
    REFUSALS.includes(error.upstreamStatus ?? 0)
  );
}
