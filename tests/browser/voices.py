"""Generated sounds, with speech and without: what a conversation's detector is judged by."""

from collections.abc import Callable

import numpy as np

RATE = 16_000
SECONDS = 6


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


SILENT: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "white noise": lambda random: coloured(random, 0),
    "pink noise": lambda random: coloured(random, 1),
    "brown noise": lambda random: coloured(random, 2),
    "a keyboard": clicks,
    "coughs": coughs,
    "music": chords,
    "traffic": traffic,
}
"""Sounds in which nobody speaks."""
