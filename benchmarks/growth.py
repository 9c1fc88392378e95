"""How the processor time of a streamed reply grows with its length, for texts of many kinds.

Each reply is told as it is in a stream, with a model and a voice that answer at once. Beside it a
greenlet measures for how long nobody else could run.
"""

import gc
import json
import time
from collections.abc import Generator

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()  # As in the service; a test that imports this is patched, or only collects.

import gevent  # What follows is to find the patched modules.

from parley.conversation.spoken_reply import SpokenReply
from parley.conversation.stages import Stages
from parley.deadline import Deadline
from parley.memory import Usage
from parley.models.registry import Model
from parley.upstream.realtime import VoiceReader
from report import ROOT, draw, hold, measure, show

KINDS = {
    "prose": "In the year {n} they walked for {n} miles, as Mr. Smith says. It rained all day. ",
    "code": "for i in range({n}):\n    x[i] = f(a * b, *c) ** 2  # Sum. See g.h\n",
    "JSON": '{{"id": {n}, "tags": ["a.b", "C. D"], "of": {{"x_y": [1.5, null]}}}}, ',
    "citations": "This was found in {n} [{n}]. It holds【{n}†source】. See [the note][{n}].[^{n}] ",
    "nested lists": "- Item {n}. It\n  - has *some*. And\n    1. more `of`\n\n",
    "brackets": "[" * 20 + "Abc {n}! " * 80,
    "stars": "*a{n} **B. *c*** D. ",
    "backticks": "`a{n} ``B. `c D. ",
    "tags": "<b>A{n}. <i class='x'>B. <!-- C. ",
    "quotes": "“A{n}. \"B! «C? '",
    "formulas": "It is $x_{n} \\leq \\frac{{a}}{{b}}$. $A_{n} B. \\(c. $$D. ",
    "blanks": "One{n}" + " \n" * 200,
    "one word": "Abc{n}",
}
SIZES, LETTERS = (1, 4, 16, 64, 256), (1, 4, 16, 64)
"""Kilobytes of a reply in deltas of DELTA characters, and of one written letter by letter."""

DELTA = 2_000
SETTLED = 16
"""From this size on, in kilobytes, the time for each one should not grow."""

GROWTH_GOAL, HELD_GOAL = 1.5, 100
REPEATED_SECONDS = 0.3
"""Small replies are told again and again for so long: the least of several times is kept."""


class AtOnce:
    """A client whose model writes these deltas at once, and whose voice says nothing."""

    def __init__(self, deltas: list[str]) -> None:
        self.deltas, self.deadline, self.attempts = deltas, Deadline.after(600), []
        self.usage, self.models_used = Usage(), {"tts": Model("speaker", "speech")}

    def stream_reply(self, transcript: str) -> Generator[str]:
        yield from self.deltas

    def stream_speech(self, text: str, reader: VoiceReader) -> Generator[bytes]:
        yield b"sound"


def text_of(kind: str, kilobytes: int) -> str:
    pieces, size, number = [], 0, 0
    while size < 1_000 * kilobytes:
        pieces.append(KINDS[kind].format(n=number))
        size, number = size + len(pieces[-1]), number + 1
    return "".join(pieces)[: 1_000 * kilobytes]


def tell(text: str, every: int) -> float:
    """Have the text told in deltas of so many characters; return the seconds of processor time."""
    deltas = [text[start : start + every] for start in range(0, len(text), every)]
    stages = Stages(AtOnce(deltas), lambda: True)
    stages.conversation.transcript = "Tell me."
    reply = SpokenReply(stages)
    begun = time.process_time()
    for _ in reply.events():
        pass
    seconds = time.process_time() - begun
    reply.close()
    assert stages.conversation.failure is None
    assert stages.conversation.reply == text.strip()
    return seconds


def watch_turns(longest: list[float]) -> None:
    """Keep the longest processor time, in seconds, for which no other greenlet ran."""
    while True:
        begun = time.process_time()
        gevent.sleep(0.001)
        longest[0] = max(longest[0], time.process_time() - begun)


def milliseconds(kind: str, kilobytes: int, every: int) -> float:
    """The least processor time of the reply, for each kilobyte."""
    text, times = text_of(kind, kilobytes), []
    while not times or sum(times) < REPEATED_SECONDS:
        gevent.sleep(0.002)  # Else short replies, told one after the other, count as one hold.
        times.append(tell(text, every))
    return 1_000 * min(times) / kilobytes


def worst(name: str, figures: dict[str, float], goal: float, digits: int = 0) -> None:
    kind = max(figures, key=figures.__getitem__)
    hold(f"{name}: {kind}", figures[kind], goal, digits)


def main() -> None:
    gc.freeze()  # What is loaded, as the service's workers do before they serve.
    longest, results, growths, helds = [0.0], {}, {}, {}
    watch = gevent.spawn(watch_turns, longest)
    for way, every, sizes in (("whole", DELTA, SIZES), ("letter by letter", 1, LETTERS)):
        print(f"Processor ms for each kB of a reply, {way}")
        show("", *(f"{size} kB" for size in sizes), "growth", "held, ms")
        results[way] = {}
        for kind in KINDS:
            longest[0] = 0.0
            times = [milliseconds(kind, size, every) for size in sizes]
            results[way][kind] = dict(zip(sizes, times, strict=True))
            growth = growths[f"{kind}, {way}"] = times[-1] / times[sizes.index(SETTLED)]
            held = helds[f"{kind}, {way}"] = 1_000 * longest[0]
            show(kind, *(f"{time:.2f}" for time in times), f"{growth:.2f}", f"{held:.0f}")
    watch.kill()
    worst("growth", growths, GROWTH_GOAL, 2)
    worst("held, ms", helds, HELD_GOAL)
    source = ROOT / "build" / "growth.json"
    source.parent.mkdir(exist_ok=True)
    source.write_text(json.dumps(results, indent=1))
    draw("draw_growth.py", source, source.with_suffix(".svg"))


if __name__ == "__main__":
    measure(main)
