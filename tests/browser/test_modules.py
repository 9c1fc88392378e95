"""The page's modules by themselves, where a conversation would take too long to come to it."""

import json

import pytest
from browser.tab import run
from testing.builders import ran

pytestmark = pytest.mark.system
HISTORY = """const history = new it.History();
for (const turn of argument) history.add(turn[0], turn[1]);
"""
FIT = (
    f"{HISTORY} const dropped = history.fit(); return [dropped, JSON.parse(history.json || '[]')];"
)
SAVED = f"{HISTORY} return JSON.parse(history.saved);"


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


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_read_however_they_arrive(page, size):
    """Cut anywhere, in the middle of a letter too; comments are passed over."""
    script = """
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
    text = (
        ':\n\nevent: transcript\ndata: {"text": "Grüße, 世界"}\n\n: still here\n\n'
        'event: text\ndata: {"text": "two"}\n\nevent: done\ndata: {"te'
    )
    read = run(page, "events", script, {"text": text, "size": size})
    assert read == [["transcript", "Grüße, 世界"], ["text", "two"]]


def test_a_piece_may_end_in_the_middle_of_a_sample(page):
    """The other half comes with the next."""
    body = """
    const reader = new it.PcmReader();
    return argument.flatMap((piece) => [...reader.read(btoa(String.fromCharCode(...piece)))]);
    """
    assert run(page, "pcm", body, [[1], [0, 2], [], [0, 255, 255, 0], [128]]) == [1, 2, -1, -32768]


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
    script = """
    const quiet = new it.Quiet();
    return argument.findIndex((decibels, index) => quiet.hears(decibels, index * 50)) * 50;
    """
    assert run(page, "quiet", script, levels) == ended


def test_what_was_heard_ends_with_a_word(page):
    """By each segment's share of the samples; a segment that is not complete by its likely pace."""
    script = """
    const spoken = new it.Spoken();
    for (const [text, samples, complete] of argument.segments) {
      spoken.begin(text);
      spoken.add(samples, complete);
    }
    return argument.heard.map((samples) => spoken.characters(samples));
    """
    segments = [["One two. ", 9000, True], ["Three four.", 1600, False]]
    heard = [0, 3000, 4500, 7000, 8999, 9000, 9000 + 5 * 1600]
    found = run(page, "spoken", script, {"segments": segments, "heard": heard})
    assert found == [0, 3, 4, 8, 8, 9, 14]


def test_pieces_of_any_length_are_played_without_a_gap(page):
    """To the sample."""
    script = """
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
    const [first, last] = [samples.indexOf(0.5), samples.lastIndexOf(0.5)];
    return [last + 1 - first, samples.filter((sample) => sample === 0.5).length];
    """
    pieces = [1, 100, 127, 128, 129, 1000, 3, 5000]
    assert run(page, "pcm", script, pieces) == [sum(pieces), sum(pieces)]


def test_the_code_passes():
    """Its types and its lint: what the tool finds is in the failure."""
    programs, assets = "tests/browser/node_modules/.bin", "src/parley/page/assets"
    ran(f"{programs}/tsc", "--project", "tests/browser", seconds=120)
    ran(f"{programs}/biome", "check", "--config-path=tests/browser", assets, seconds=120)


def test_events_that_come_together_leave_the_page_time_to_draw(page):
    """A long reply's speech may arrive faster than it can be read."""
    script = """
    let frames = 0;
    const count = () => { frames += 1; requestAnimationFrame(count); };
    requestAnimationFrame(count);
    const event = 'event: text\\ndata: {"delta": "word "}\\n\\n';
    const body = new Blob([event.repeat(argument)]).stream();
    for await (const { name } of it.readEvents(body)) {
      for (const until = performance.now() + 1; performance.now() < until; );
    }
    return frames;
    """
    assert run(page, "events", script, 400) >= 3
