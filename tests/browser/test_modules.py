"""The page's modules by themselves, where a conversation would take too long to come to it."""

import json

import pytest
from browser.tab import run
from testing.builders import ROOT, ran

pytestmark = pytest.mark.system


FIT = """
const history = new it.History();
for (const turn of argument) history.add(turn[0], turn[1]);
const dropped = history.fit();
return [dropped, JSON.parse(history.json || "[]")];
"""
SAVED = """
const history = new it.History();
for (const turn of argument) history.add(turn[0], turn[1]);
return JSON.parse(history.saved);
"""


def test_as_much_of_a_conversation_is_sent_as_the_service_takes(page):
    """A hundred entries, and 256 KB as they are sent: in UTF-8, with JSON's marks."""
    turns = [[f"question {number}", f"answer {number}"] for number in range(53)]
    assert run(page, "history", FIT, turns[:50]) == [False, entries(turns[:50])]
    assert run(page, "history", FIT, turns) == [True, entries(turns[3:])]
    turns = [["a", "é" * 60_000], ["b", "ü" * 60_000], ["c", "ö" * 12_000]]
    assert run(page, "history", FIT, turns[:2]) == [False, entries(turns[:2])]
    assert run(page, "history", FIT, turns) == [True, entries(turns[1:])]
    assert len(json.dumps(entries(turns[1:]), ensure_ascii=False).encode()) < 262_144
    wordless = [[" ", "What?"], ["Hello", ""]]
    assert run(page, "history", FIT, wordless) == [False, entries([["Hello", "…"]])]
    # In what is saved nobody has said an ellipsis, and nothing that was said is lost.
    assert run(page, "history", SAVED, [["a", "b"], *wordless, ["c", "d"]]) == entries(
        ["ab", ["Hello\nc", "d"]]
    )


def entries(turns):
    return [
        {"role": role, "content": content}
        for turn in turns
        for role, content in zip(("user", "assistant"), turn, strict=True)
    ]


EVENTS = """
const bytes = new TextEncoder().encode(argument.text);
const body = new ReadableStream({
  start(controller) {
    for (let at = 0; at < bytes.length; at += argument.size)
      controller.enqueue(bytes.slice(at, at + argument.size));
    controller.close();
  },
});
const found = [];
for await (const event of it.readEvents(body)) found.push([event.name, event.data.text]);
return found;
"""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_they_arrive(page, size):
    """Cut anywhere, in the middle of a letter too; comments are passed over."""
    text = (
        ':\n\nevent: transcript\ndata: {"text": "Grüße, 世界"}\n\n: still here\n\n'
        'event: text\ndata: {"text": "two"}\n\nevent: done\ndata: {"te'
    )
    read = run(page, "events", EVENTS, {"text": text, "size": size})
    assert read == [["transcript", "Grüße, 世界"], ["text", "two"]]


def test_a_piece_may_end_in_the_middle_of_a_sample(page):
    """The other half comes with the next."""
    body = """
    const reader = new it.PcmReader();
    return argument.flatMap((piece) => [...reader.read(btoa(String.fromCharCode(...piece)))]);
    """
    assert run(page, "pcm", body, [[1], [0, 2], [], [0, 255, 255, 0], [128]]) == [1, 2, -1, -32768]


QUIET = """
const quiet = new it.Quiet();
return argument.findIndex((decibels, index) => quiet.hears(decibels, index * 50)) * 50;
"""


@pytest.mark.parametrize(
    ("levels", "ended"),
    [
        ([-70] * 20 + [-30] * 20 + [-70] * 60, 39 * 50 + 1500),
        ([-70] * 100, -50),  # Nobody has spoken.
        ([-70] * 20 + [-30] * 20 + [-70] * 20 + [-30] * 5 + [-70] * 60, 64 * 50 + 1500),
        ([-45] * 20 + [-20] * 20 + [-45] * 60, 39 * 50 + 1500),  # In a noisy room.
        ([-55, -58] * 60, -50),  # The room itself is no voice.
    ],
    ids=["spoken", "nobody", "a pause", "a noisy room", "a murmuring room"],
)
def test_silence_is_noticed_after_a_voice(page, levels, ended):
    """After 1.5 s without one."""
    assert run(page, "quiet", QUIET, levels) == ended


SPOKEN = """
const spoken = new it.Spoken();
for (const [text, samples, complete] of argument.segments) {
  spoken.begin(text);
  spoken.add(samples, complete);
}
return argument.heard.map((samples) => spoken.characters(samples));
"""


def test_what_was_heard_ends_with_a_word(page):
    """By each segment's share of the samples; a segment that is not complete by its likely pace."""
    segments = [["One two. ", 9000, True], ["Three four.", 1600, False]]
    heard = [0, 3000, 4500, 7000, 8999, 9000, 9000 + 5 * 1600]
    found = run(page, "spoken", SPOKEN, {"segments": segments, "heard": heard})
    assert found == [0, 3, 4, 8, 8, 9, 14]


RENDER = """
const context = new OfflineAudioContext(1, 24000, 24000);
await context.audioWorklet.addModule("/speaker-worklet.js");
const options = { numberOfInputs: 0, outputChannelCount: [1] };
const node = new AudioWorkletNode(context, "player", options);
node.connect(context.destination);
for (const length of argument) {
  node.port.postMessage({ samples: new Float32Array(length).fill(0.5) });
}
node.port.postMessage({ complete: true });
await new Promise((resolve) => setTimeout(resolve, 500));
const [samples] = [(await context.startRendering()).getChannelData(0)];
const first = samples.indexOf(0.5);
return [samples.lastIndexOf(0.5) + 1 - first, samples.filter((sample) => sample === 0.5).length];
"""


def test_pieces_of_any_length_are_played_without_a_gap(page):
    """To the sample."""
    pieces = [1, 100, 127, 128, 129, 1000, 3, 5000]
    assert run(page, "pcm", RENDER, pieces) == [sum(pieces), sum(pieces)]


PROGRAMS = ROOT / "tests" / "browser" / "node_modules" / ".bin"
ASSETS = ROOT / "src" / "parley" / "page" / "assets"


@pytest.mark.parametrize(
    "command",
    [
        ["tsc", "--project", "tests/browser"],
        ["biome", "check", "--config-path=tests/browser", str(ASSETS)],
    ],
    ids=["types", "lint"],
)
def test_the_code_passes(command):
    """What the tool finds is in the failure."""
    ran(PROGRAMS / command[0], *command[1:], seconds=120)
