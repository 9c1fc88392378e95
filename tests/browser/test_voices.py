"""Who speaks is heard, in traffic too; what nobody says is not sent."""

import base64
from pathlib import Path

import faster_whisper
import numpy as np
import onnxruntime
import pytest
from browser import mouth
from browser.tab import run

pytestmark = pytest.mark.system
SEEDS = range(2)
RATE = 16_000
SECONDS = 6


def hear(page, sound, played=None):
    """What the detector tells of the sound, and when; and how sure it was of each block."""
    script = """
    const { Echo } = await import("/echo.js");
    const { Utterances } = await import("/utterances.js");
    const { decibelsOf } = await import("/levels.js");
    const [sound, played] = argument.map((coded) =>
      new Float32Array(Uint8Array.from(atob(coded), (letter) => letter.charCodeAt(0)).buffer));
    const [model, echo, utterances] = [await it.loadModel(), new Echo(), new Utterances()];
    const [heard, probabilities] = [[], []];
    for (let at = 0; at + it.BLOCK <= sound.length; at += it.BLOCK) {
      const block = sound.subarray(at, at + it.BLOCK);
      probabilities.push(model.hear(block));
      const loudspeaker = decibelsOf(played.subarray(at, at + it.BLOCK));
      const other = echo.exceeds(decibelsOf(block), loudspeaker, utterances.heard);
      const what = utterances.hear(other ? probabilities.at(-1) : 0);
      if (what === "said") echo.forget();
      if (what) heard.push([what, (at + it.BLOCK) / it.RATE]);
    }
    return { heard, probabilities };
    """
    played = np.zeros(len(sound)) if played is None else played
    coded = [base64.b64encode(each.astype("<f4").tobytes()).decode() for each in (sound, played)]
    return run(page, "voice-model", script, coded)


def coloured(random: np.random.Generator, slope: float) -> np.ndarray:
    """Noise whose power falls with frequency by this slope: 0 is white, 1 pink, 2 brown."""
    frequencies = np.fft.rfftfreq(SECONDS * RATE, 1 / RATE)
    frequencies[0] = frequencies[1]
    spectrum = random.normal(size=len(frequencies)) + 1j * random.normal(size=len(frequencies))
    spectrum *= (frequencies > 25) * frequencies ** (-slope / 2)
    return np.fft.irfft(spectrum)


def clicks(random: np.random.Generator) -> np.ndarray:
    """A keyboard: short bursts, some eight a second."""
    sound = np.zeros(SECONDS * RATE)
    for start in random.integers(0, len(sound) - 800, 8 * SECONDS):
        sound[start : start + 800] += random.normal(size=800) * np.exp(-np.linspace(0, 9, 800))
    return sound


def coughs(random: np.random.Generator) -> np.ndarray:
    """Every 1.5 s a burst of 0.25 s, as hoarse as a throat."""
    sound = np.zeros(SECONDS * RATE)
    throat = np.fft.irfft(
        np.fft.rfft(coloured(random, 0)) * np.hanning(SECONDS * RATE // 2 + 1) ** 0.5
    )
    for start in range(RATE, len(sound) - RATE, 3 * RATE // 2):
        end = start + RATE // 4
        sound[start:end] = throat[start:end] * np.exp(-np.linspace(0, 5, end - start))
    return sound


def chords(random: np.random.Generator) -> np.ndarray:
    """Music: three notes with their overtones, struck every half second."""
    times = np.arange(SECONDS * RATE) / RATE
    sound = np.zeros(len(times))
    for start in np.arange(0, SECONDS, 0.5):
        since = times - start
        struck = (since >= 0) * np.exp(-3 * np.clip(since, 0, None))
        for note in random.choice([220, 247, 277, 330, 370, 440], 3, replace=False):
            sound += sum(
                struck * np.sin(2 * np.pi * note * part * since) / part for part in range(1, 7)
            )
    return sound


def traffic(random: np.random.Generator) -> np.ndarray:
    """A street: cars that pass, each a hiss of tyres and the harmonics of an engine."""
    times = np.arange(SECONDS * RATE) / RATE
    sound = loud(coloured(random, 1.6), -20)
    for _ in range(3):
        middle, pitch = random.uniform(0, SECONDS), random.uniform(28, 75)
        engine = sum(np.sin(2 * np.pi * pitch * part * times) / part for part in range(1, 14))
        near = 1 / (1 + (times - middle) ** 2)
        sound += near * (loud(coloured(random, 1), -20) + loud(engine, -24))
    return sound


def loud(sound: np.ndarray, decibels: float) -> np.ndarray:
    """The sound at this level, on the whole."""
    return sound / np.sqrt(np.mean(sound**2)) * 10 ** (decibels / 20)


SILENT = {
    "white noise": lambda random: coloured(random, 0),
    "pink noise": lambda random: coloured(random, 1),
    "brown noise": lambda random: coloured(random, 2),
    "a keyboard": clicks,
    "coughs": coughs,
    "music": chords,
    "traffic": traffic,
}
"""Sounds in which nobody speaks."""


def spoken():
    """The question at 16 kHz, in silence of 1.5 s before and 2 s behind it."""
    question = mouth.question()
    places = np.arange(0, len(question), mouth.RATE / RATE)
    sound = np.zeros(SECONDS * RATE)
    start = 3 * RATE // 2
    sound[start : start + len(places)] = np.interp(places, np.arange(len(question)), question)
    return loud(sound, -28)


@pytest.mark.parametrize("name", SILENT)
def test_what_nobody_says_is_not_sent(page, name):
    """Loud or not; a cough may be taken for a voice, though not for something that was said."""
    for seed in SEEDS:
        sound = SILENT[name](np.random.default_rng(seed))
        for decibels in (-45, -25):
            heard = hear(page, loud(sound, decibels))["heard"]
            assert "said" not in [what for what, _ in heard]
            assert heard == [] or name == "coughs"


@pytest.mark.parametrize("above", [5, 10, 20])
def test_what_is_said_in_traffic_is_heard(page, above):
    """From its first quarter of a second, and sent a second after its end."""
    for seed in SEEDS:
        street = loud(traffic(np.random.default_rng(seed)), -28 - above)
        [(begins, began), (ends, ended)] = hear(page, spoken() + street)["heard"]
        assert (begins, ends) == ("voice", "said")
        assert 1.7 < began < 2.1
        assert 4.2 < ended < 4.7


@pytest.mark.parametrize("coupling", [0, -10, -30])
def test_its_own_voice_is_nobodys(page, coupling):
    """As loud as it is played, or weaker, a tenth of a second later."""
    played = np.tile(spoken(), 2)
    echo = np.roll(played, RATE // 10) * 10 ** (coupling / 20)
    assert hear(page, echo, played)["heard"] == []


def test_the_network_is_the_one_that_onnxruntime_computes(page):
    """Weights of a byte each change no more than their rounding; speech in noise, and silence."""
    [file] = (Path(faster_whisper.__file__).parent / "assets").glob("silero_vad_v6.onnx")
    session = onnxruntime.InferenceSession(file)
    sound = spoken() + loud(coloured(np.random.default_rng(1), 1), -45)
    sound = sound.astype(np.float32)
    blocks = sound[: len(sound) // 512 * 512].reshape(-1, 512)
    before = np.concatenate([np.zeros((1, 64), np.float32), blocks[:-1, -64:]])
    nothing = np.zeros((1, 1, 128), np.float32)
    inputs = {"input": np.concatenate([before, blocks], 1), "h": nothing, "c": nothing}
    expected = np.ravel(session.run(["speech_probs"], inputs)[0])
    found = np.array(hear(page, sound)["probabilities"])
    assert 20 < np.count_nonzero(expected > 0.5) < 80
    assert np.abs(found - expected).mean() < 0.01
    assert np.count_nonzero((found > 0.5) != (expected > 0.5)) <= 2


RATES = [16_000, 22_050, 44_100, 48_000, 96_000]
SINES = [(rate, pitch, 1) for rate in RATES for pitch in (440, 3000)]


@pytest.mark.parametrize(
    ("rate", "pitch", "kept"), [*SINES, (44_100, 12_000, 0), (48_000, 9_000, 0)]
)
def test_a_device_may_have_any_rate(page, rate, pitch, kept):
    """What 16 kHz can carry is kept as it was, and nothing else."""
    script = """
    const resampler = new it.Resampler(argument.rate, 16000);
    const taken = [];
    for (let at = 0; at < argument.rate; at += 128) {
      const piece = Float32Array.from({ length: 128 }, (_, index) =>
        Math.sin((2 * Math.PI * argument.pitch * (at + index)) / argument.rate));
      taken.push(...resampler.take(piece));
    }
    return taken;
    """
    taken = np.array(run(page, "resampler", script, {"rate": rate, "pitch": pitch}))
    assert len(taken) == pytest.approx(16_000, abs=80)
    middle = taken[1000:15_000]
    assert np.abs(middle).max() == pytest.approx(kept, abs=0.03)
    if kept:
        assert np.argmax(np.abs(np.fft.rfft(middle))) * 16_000 / len(middle) == pytest.approx(
            pitch, abs=2
        )
