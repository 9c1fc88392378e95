/** Puts the page together. */

import { warm } from "./audio-input.js";
import { ByHand } from "./by-hand.js";
import { Connection } from "./connection.js";
import { explain, isHeld } from "./dock.js";
import { element, field, isCovered } from "./elements.js";
import { Failure } from "./failures.js";
import { takeFiles } from "./files.js";
import { HandsFree } from "./hands-free.js";
import { watch } from "./meter.js";
import { heed } from "./other-tabs.js";
import { heedPermission } from "./permission.js";
import { makeRoom } from "./room.js";
import { Session } from "./session.js";
import { Settings } from "./settings.js";
import { save } from "./take-along.js";
import { talkWith } from "./talk.js";
import { View } from "./view.js";

const view = new View((failure) => settings?.open(failure));
const chosen = () => /** @type {Settings} */ (settings).chosen();
const session = new Session(view, chosen, () => settings?.speed ?? 1);
const byHand = new ByHand(session);
const handsFree = new HandsFree(session);
/** @type {Settings | undefined} there once the service has told of itself */
let settings;
const connection = new Connection(view, (offer) => {
  view.lose(false);
  if (settings) return view.calm("The service can be reached again", connection.again);
  const changed = (/** @type {Set<string>} */ names) =>
    view.settingsChanged(names, settings?.missing ?? null);
  settings = new Settings(offer, changed, session.speaker);
  view.forgive();
  view.enter(session.state);
});
session.oncut = () => connection.check();
/** Whether anything can be sent; where nothing could be, the service is asked once more. */
const ready = async () => {
  if (handsFree.isOn) return true;
  if (!settings || view.isLost) await connection.ask();
  return settings && !view.isLost;
};

/** Whether what is down began to listen as it went down. */
let listens = false;
/** Talk was pressed before anything could be said: "talk" then, or "in vain" where a hold is over by then. */
let early = "";
/** What was pressed is let go: from now on it is a tap. */
const tapped = () => explain(settings?.endBySilence ? "silent" : "tap");
talkWith(element("talk"), {
  press: async (press) => {
    listens = false;
    explain(press);
    if (!handsFree.isOn && (!settings || view.isLost)) {
      early = "talk";
      const can = await ready();
      const wanted = early;
      early = "";
      if (!can || !wanted) return;
      if (wanted === "in vain") return session.fail(new Failure("let_go_early"));
    }
    listens = session.state !== "listening" && !handsFree.isOn;
    if (!handsFree.ear) warm().catch(() => {}); // What is wrong is told as it opens.
    if (handsFree.isOn) handsFree.talk();
    else byHand.talk();
  },
  release: (held) => {
    tapped();
    if (held && early) early = "in vain";
    if (held && listens) byHand.letGo();
  },
  slide: (off) => explain(off ? "off" : "pointer"),
  cancel: () => {
    tapped();
    early = "";
    if (listens) session.stop();
  },
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  early = "";
  if (settings && !isCovered()) session.stop();
});
// Browsers keep a page that was left, conversation and all, unless it still has the microphone.
addEventListener("pagehide", () => {
  if (session.state !== "idle") session.stop();
});
for (const gesture of ["pointerdown", "pointerup", "keydown"]) {
  document.addEventListener(gesture, () => session.speaker.wake(), { capture: true });
}
heed(() => {
  if (handsFree.isOn) handsFree.pause("conversation_elsewhere");
  else if (["speaking", "stalled"].includes(session.state)) {
    session.stop();
    view.fail(new Failure("speaking_elsewhere"));
  }
});

element("mute").addEventListener("click", () => {
  const { microphone } = byHand;
  if (microphone) microphone.muted = !microphone.muted;
});
element("stop").addEventListener("click", () => session.stop());
element("converse").addEventListener("click", async () => {
  if (!(await ready())) return;
  warm().catch(() => {});
  handsFree.toggle();
});
element("clear").addEventListener("click", () => {
  element("how-cleared").textContent = handsFree.isOn ? "ended and cleared" : "cleared";
  element("undo").textContent = handsFree.isOn ? "Bring its turns back" : "Undo";
  session.stop();
  session.transcript.clear();
});
element("undo").addEventListener("click", () => session.transcript.restore());
for (const [kind, type] of [
  ["text", "text/plain"],
  ["json", "application/json"],
]) {
  element(`export-${kind}`).addEventListener("click", () => {
    const content = session.transcript[/** @type {"text" | "json"} */ (kind)];
    save(new Blob([content], { type }), kind === "text" ? "conversation.txt" : "conversation.json");
    element("export").hidePopover();
  });
}
element("open-settings").addEventListener("click", async () => {
  if (!settings) await connection.ask();
  settings?.open(view.asked);
});
element("add-key").addEventListener("click", () => settings?.open(view.asked));
takeFiles(field("file"), element("choose"), async (file, others) => {
  if (!(await ready())) return;
  session.send({ recording: file, fileName: file.name, isFile: true });
  if (!others) return;
  view.note(`One recording is sent at a time: drop the next one after the reply to ${file.name}.`);
});
heedPermission(view);
makeRoom(() => view.follow());
watch(byHand, handsFree, element("talk"), () => Boolean(settings?.endBySilence) && !isHeld());

await connection.ask();
