"""The page's smaller parts by themselves: gestures, states, Markdown, and what is kept of sound."""

import pytest
from browser.tab import run

pytestmark = pytest.mark.system


def test_what_is_held_for_400_milliseconds_is_no_tap(page):
    """By the events' own times: a busy page takes notice later."""
    script = """
    const button = document.body.appendChild(document.createElement("button"));
    const heard = [];
    const [release, cancel] = [(held) => heard.push(held), () => heard.push("cancel")];
    it.talkWith(button, { press() {}, release, slide() {}, cancel });
    const fire = (type, timeStamp) => {
      const event = new PointerEvent(type, { button: 0, pointerId: 1 });
      Object.defineProperty(event, "timeStamp", { value: timeStamp });
      button.dispatchEvent(event);
    };
    button.setPointerCapture = () => {};
    for (const held of argument) {
      fire("pointerdown", 1000);
      fire("pointerup", 1000 + held);
    }
    button.remove();
    return heard;
    """
    assert run(page, "talk", script, [0, 399, 400, 5000]) == [False, False, True, True]


def test_the_button_that_closed_a_dialog_does_not_keep_the_space_bar(page):
    """It still has the focus until the next picture is drawn."""
    script = """
    const dialog = document.body.appendChild(document.createElement("dialog"));
    const closer = dialog.appendChild(document.createElement("button"));
    const button = document.body.appendChild(document.createElement("button"));
    let pressed = 0;
    it.talkWith(button, { press: () => { pressed += 1; }, release() {}, slide() {}, cancel() {} });
    const key = { key: " ", bubbles: true };
    const space = () => closer.dispatchEvent(new KeyboardEvent("keydown", key));
    dialog.showModal();
    space();
    const [open] = [pressed];
    dialog.close();
    space();
    return [open, pressed];
    """
    assert run(page, "talk", script) == [0, 1]


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([1, 2, 3], [True] * 3),
        ([9, 1, 1, 8], [False, True, True, True]),
        ([1, 9, 9], [False, False, True]),
    ],
)
def test_the_oldest_sounds_go_where_there_is_no_room(page, sizes, kept):
    """The last is kept, however long."""
    script = """
    const sounds = argument.sizes.map((size) => ({ file: { size }, drop() { this.file = null; } }));
    it.limit(sounds, argument.most);
    return sounds.map(({ file }) => file !== null);
    """
    assert run(page, "sound", script, {"sizes": sizes, "most": 10}) == kept


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("Plain, 2 * 3 * 4 and snake_case_name.", [["p", "Plain, 2 * 3 * 4 and snake_case_name."]]),
        ("**a *b* c** _d_", [["p", "strong:a |strong:em:b|strong: c| |em:d"]]),
        ("**a", [["p", "**a"]]),
        ("a\nb\n\nc", [["p", "a\nb"], ["p", "c"]]),
        ("- a\n  more\n- b\n\n1. c", [["ul", "a\n  more", "b"], ["ol", "c"]]),
        ("# Title\ntext", [["h", "Title"], ["p", "text"]]),
        ("```js\n**x**\n", [["pre", "strong:x|"]]),
        ("`**x**`", [["p", "code:**x**"]]),
        ("[a](https://b.c/d) [x](javascript:y)", [["p", "a:a| [x](javascript:y)"]]),
        (r"2 \* 3", [["p", "2 |*| 3"]]),
        ("***a***", [["p", "strong:em:a"]]),
        (
            "Two:\n| a | *b* |\n|---|:-:|\n| c \\| d | |\n\nx",
            [["p", "Two:"], ["table", "a", "em:b|", "c ||| d", ""], ["p", "x"]],
        ),
        ("a | b\n-|-\nc | d", [["table", "a", "b", "c", "d"]]),
        ("a | b\nc | d", [["p", "a | b\nc | d"]]),
        ("> a\n> b\nc\n\n---\n- d", [["blockquote", "a", "b\nc"], ["hr"], ["ul", "d"]]),
    ],
)
def test_markdown_is_read(page, source, read):
    """Each character keeps its place; what is no Markdown stays as it is."""
    script = """
    return it.blocksOf(argument).map(({ kind, parts }) => [
      kind,
      ...parts.map((part) => it.leavesOf(argument, part).map(({ start, end, marks }) =>
        marks.map(({ tag }) => tag + ":").join("") + argument.slice(start, end)).join("|").trim()),
    ]);
    """
    assert run(page, "markdown", script, source) == read


def test_every_state_is_reached_and_can_be_ended(page):
    """By a button that says so, or the switch of a conversation; no state is a trap."""
    script = """
    return Object.entries(it.STATES).map(([state, { next, stop }]) => [
      state, next, stop ?? "", it.isHandsFree(state),
    ]);
    """
    states = {state: row for state, *row in run(page, "states", script)}
    reached = {"idle"}
    for _ in states:
        reached |= {after for state in reached for after in states[state][0].values()}
    assert reached == set(states)
    for state, (following, stop, hands_free) in states.items():
        assert following.get("stop") == (None if state == "idle" else "idle")
        assert bool(stop) is (state != "idle" and not hands_free)
