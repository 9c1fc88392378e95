/** Puts the page together. */

import { element, field, isCovered } from "./elements.js";
import { Failure } from "./failures.js";
import { takeFiles } from "./files.js";
import { watch } from "./meter.js";
import { Session } from "./session.js";
import { Settings } from "./settings.js";
import { talkWith } from "./talk.js";
import { View } from "./view.js";

const view = new View({
  replay: () => session.replay(),
  openSettings: () => settings?.open(),
});
const session = new Session(view, () => /** @type {Settings} */ (settings).chosen());
/** @type {Settings | undefined} there once the service has told of itself */
let settings;

let listens = false;
talkWith(
  element("talk"),
  () => {
    if (!settings) return void begin();
    listens = session.state !== "listening";
    session.talk();
  },
  (held) => {
    if (held && listens) session.finish();
  },
);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !isCovered()) session.stop();
});
// Browsers keep a page that was left, conversation and all, unless it still has the microphone.
addEventListener("pagehide", () => {
  if (session.state !== "idle") session.stop();
});
for (const gesture of ["pointerdown", "pointerup", "keydown"]) {
  document.addEventListener(gesture, () => session.wake(), { capture: true });
}

element("mute").addEventListener("click", () => {
  const { microphone } = session;
  if (!microphone) return;
  microphone.muted = !microphone.muted;
  view.mute(microphone.muted);
});
element("clear").addEventListener("click", () => session.clear());
element("open-settings").addEventListener("click", () => settings?.open());
element("add-key").addEventListener("click", () => settings?.open());
takeFiles(field("file"), async (file, others) => {
  if (!settings) await begin();
  if (!settings) return;
  session.send({ recording: file, fileName: file.name });
  if (!others) return;
  view.note(`One recording is sent at a time: drop the next one after the reply to ${file.name}.`);
});
watch(session, element("talk"), () => settings?.endBySilence ?? false);

/** @type {Promise<void> | null} */
let beginning = null;

/** Ask the service what it offers, once at a time; nothing can be said before. */
function begin() {
  beginning ??= offered().finally(() => {
    beginning = null;
  });
  return beginning;
}

async function offered() {
  try {
    const answer = await fetch("page.json");
    settings = new Settings(await answer.json());
    view.forgive();
    view.enter(session.state);
  } catch {
    view.fail(new Failure("unreachable"), begin);
  }
}

await begin();
