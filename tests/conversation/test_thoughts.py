"""What a model thinks aloud is neither text nor speech."""

import sys
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parley.conversation.thoughts import MARK, _begun, deltas_without_thoughts, without_thoughts

REPLIES = {
    "<think>Hm. </thin </think>\n\nHello.": "Hello.",
    " \n<think></think>Hello <think>you</think>": "Hello <think>you</think>",
    "<think>For ever": "",
    "<think>a</think> <think>b</think>": "<think>b</think>",
    "<think>a</think> \n": "",
    "<thin": "<thin",
    " <thinkers> is fun": "<thinkers> is fun",
    " <thinking>Hm. </think></thinking> Hello.": "Hello.",
    "<thought>**Hm**\n</thought>Hello.": "Hello.",
    "<reasoning>\nHm</reasoning>\n\nHello.": "Hello.",
    "<seed:think>Hm</seed:think>Hello.": "Hello.",
    "<M2_7_thinking>Hm</M2_7_thinking>Hello.": "Hello.",
    "<REASONING_SCRATCHPAD>Hm</REASONING_SCRATCHPAD>Hello.": "Hello.",
    "<thoughts>Hm</thoughts>Hello.": "Hello.",
    "<|START_THINKING|>Hm<|END_THINKING|>Hello.": "Hello.",
    "[THINK]Hm[/THINK]Hello.": "Hello.",
    "[THANKS] Hello.": "[THANKS] Hello.",
    "◁think▷Hm◁/think▷Hello.": "Hello.",
    "<|begin_of_thought|>Hm<|end_of_thought|>\nHello.": "Hello.",
    "<unused94>thought\nHm<unused95>Hello.": "Hello.",
    "<|channel>thought\nHm<channel|>Hello.": "Hello.",
    "thought\nHm<channel|>Hello.": "Hello.",
    "thought\n\nHm.  Hello to you all.": "Hm.  Hello to you all.",  # Gemini leaves the word alone.
    **{f"thought{mark}Hello.": "Hello." for mark in ("", "[]", "() ", " [] ")},
    "thought is free": "thought is free",
    "thought [a] is free": "thought [a] is free",
    "<|channel|>analysis<|message|>Hm<|end|><|start|>assistant<|channel|>final<|message|>No": "No",
    "<|channel|>final<|message|>Hello.": "Hello.",
    "<|start|>assistant<|channel|>analysis<|message|>Hm": "",
    "analysisWe must say hello.assistantfinalHello.": "Hello.",
    "analysis of it: Hello.": "analysis of it: Hello.",
    "analysis": "analysis",
    "<THINKING>Hm</THINKING>Hello.": "Hello.",
    "\n</think>\n\nHello.": "Hello.",
    "</thinking>Hello.</b>": "Hello.</b>",
    "</th": "</th",
    "Hello. <think>No</think>": "Hello. <think>No</think>",
    "\n Hello ": "Hello",
    "": "",
    " ": "",
}


def visible(reply: str, cuts: set[int]) -> str:
    places = sorted(cut for cut in cuts if cut < len(reply))
    deltas = [reply[a:b] for a, b in zip([0, *places], [*places, len(reply)], strict=True)]
    return "".join(deltas_without_thoughts(deltas))


@pytest.mark.parametrize("reply", REPLIES)
def test_leading_thoughts_are_taken_out(reply):
    """However the reply is cut, only thoughts at its beginning go."""
    for every in (1, 2, 3, 7, 100):
        assert visible(reply, set(range(0, len(reply), every))) == REPLIES[reply]


@given(st.text(alphabet="<think>/ \nab"), st.sets(st.integers(0, 60)))
def test_what_is_not_thought_passes_whole(text, cuts):
    """A reply that does not begin with thoughts is passed on as it is, wherever it is cut."""
    expected, mark = text.strip(), MARK.match(text.lstrip())
    assume(not mark or mark[0] == "<think>")
    if text.lstrip().startswith("<think>"):
        expected = text.partition("</think>")[2].strip()
    assert visible(text, cuts) == expected


@pytest.mark.parametrize("unit", ["a <tool>\n</too", "x<tool>", "~~~ a\n", "- ```a\n", "> ", "a_`"])
def test_the_end_of_thoughts_is_looked_for_in_linear_time(unit):
    """In the longest reply it takes less than the second after which the watchdog ends it."""
    began = time.process_time()
    without_thoughts(unit * (1_000_000 // len(unit)) + "\n</think>\nHello.")
    assert time.process_time() - began < 1


def test_space_before_thoughts_is_looked_at_once():
    """However small its pieces are: only what may begin a mark is looked at again."""
    thoughts = " " * 100 + "<think>" + "a" * 100 + "</think>\n \n"

    def is_short() -> bool:
        return len(sys._getframe(2).f_locals["held"]) < len("</think>")

    assert list(_begun(char for char in [*thoughts, " Hello."] if is_short())) == ["Hello."]


def test_text_is_passed_on_at_once():
    """Only what may be the beginning of thoughts is held back."""
    assert list(deltas_without_thoughts(["<th", "e ", "end"])) == ["<the", " end"]
