"""A microphone in whose room somebody speaks when a test says so: the same in every browser."""

import base64
import json
import time
import wave
from functools import cache

import numpy as np
from browser.speaking_upstream import QUESTION
from browser.tab import AnyTab

RATE = 24_000
HEARD = "Hearing you; silence sends it"
INTERRUPTED = "Interrupted; silence sends what you say"
PAUSED = "Paused; the microphone is closed"
OPEN = "return window.microphones.filter(({ readyState }) => readyState === 'live').length"
"""How many microphones are open."""

SCRIPT = """
(({ pieces, rate }) => {
  const context = new AudioContext();
  const room = context.createMediaStreamDestination();
  let said;
  const play = (samples, loop = false) => {
    const buffer = context.createBuffer(1, samples.length, rate);
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer, loop });
    source.connect(room);
    source.start();
    return source;
  };
  // A room is never silent.
  let seed = 1;
  const hiss = () => {
    seed = (seed * 16807) % 2147483647;
    return (seed / 2147483647 - 0.5) * 0.002;
  };
  play(Float32Array.from({ length: rate }, hiss), true);
  // How much of the page's own voice the microphone hears.
  const echo = new GainNode(context, { gain: 0 });
  echo.connect(room);
  window.hearLoudspeaker = () => { echo.gain.value = 1; };
  const { connect } = AudioNode.prototype;
  AudioNode.prototype.connect = function (target, ...rest) {
    if (target === this.context.destination) {
      try {
        const heard = this.context.createMediaStreamDestination();
        connect.call(this, heard);
        connect.call(context.createMediaStreamSource(heard.stream), echo);
      } catch {
        // Firefox joins no two rates.
      }
    }
    return connect.call(this, target, ...rest);
  };
  window.say = (name) => {
    const bytes = Uint8Array.from(atob(pieces[name]), (character) => character.charCodeAt(0));
    said = play(Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768));
    window.began = Date.now();
  };
  window.hush = () => said?.stop();
  window.microphones = [];
  // The object itself WebKit may forget, and make anew: what it was given is lost then.
  MediaDevices.prototype.getUserMedia = async (asked) => {
    await context.resume();
    const stream = room.stream.clone();
    window.microphones.push(stream.getTracks()[0]);
    window.asked = asked;
    return stream;
  };
})(%s);
"""


def question() -> np.ndarray:
    """What examples/question.wav says, at RATE, from -1 to 1."""
    with wave.open(str(QUESTION)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        places = np.arange(0, len(samples), file.getframerate() / RATE)
        return np.interp(places, np.arange(len(samples)), samples)


@cache
def script() -> str:
    """What makes the room; then `say` says a question, its first words, or a syllable of it."""
    spoken = question()
    pieces = {
        "question": spoken,
        "words": spoken[: int(1.2 * RATE)],
        "syllable": spoken[int(0.55 * RATE) : int(0.75 * RATE)],
    }
    coded = {
        name: base64.b64encode((samples * 32767).astype("<i2").tobytes()).decode()
        for name, samples in pieces.items()
    }
    return SCRIPT.replace("%s", json.dumps({"pieces": coded, "rate": RATE}))


def converse(tab: AnyTab) -> None:
    """Switch the conversation on, or off, once a click there is not meant for Stop any more."""
    tab.wait_for("return !document.querySelector('#converse.late')")
    tab.click("#converse")


def begin(tab: AnyTab) -> None:
    """A conversation that listens."""
    converse(tab)
    tab.expect_state("Listening")


def say(tab: AnyTab, piece: str = "question") -> None:
    tab.run(f"window.say('{piece}')")


def bring(tab: AnyTab, state: str) -> None:
    """From listening to a reply, or to its interruption."""
    say(tab, "words")
    tab.expect_state("Speaking")
    if state == INTERRUPTED:
        time.sleep(1)  # It has to know how loud its own voice is.
        say(tab)
        tab.expect_state(INTERRUPTED)
