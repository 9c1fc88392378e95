/** Other tabs with the page: one speaks at a time, and none while another listens. */

const NAME = "parley";

/** @type {BroadcastChannel | null} */
let channel = null;

/** Call `quieten` each time that another tab begins to speak or to listen. @param {() => void} quieten */
export function heed(quieten) {
  const open = () => {
    channel ??= new BroadcastChannel(NAME);
    channel.onmessage = quieten;
  };
  open();
  // An open channel may keep the browser from keeping a page that was left.
  addEventListener("pagehide", () => {
    channel?.close();
    channel = null;
  });
  addEventListener("pageshow", open);
}

/** Have the other tabs fall silent. */
export function quietOthers() {
  channel?.postMessage("quiet");
}
