"""A model's leading thoughts, as <think>…</think>, taken out of a reply while it is written."""

from collections.abc import Iterable, Iterator
from itertools import chain

import regex

from parley.conversation.silent import CODE
from parley.errors import UpstreamError

BEGIN, END = "<think>", "</think>"
# How thoughts begin that have no tag, and how each kind of them ends.
MARKS = {
    "[THINK]": "[/THINK]",  # Magistral
    "◁think▷": "◁/think▷",  # Kimi
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<unused94>": "<unused95>",  # MedGemma
    "<|START_THINKING|>": "<|END_THINKING|>",  # Command
    "<|channel>": "<channel|>",  # Gemma
    "thought\n": "<channel|>",  # The same behind Ollama.
    "<|channel|>": "final<|message|>",  # gpt-oss, whose reply is the last of several channels.
    "<|start|>": "final<|message|>",
    "analysis": "assistantfinal",  # The same, where the host leaves out what is no text.
}
# Models name the tag as they like: thinking, THOUGHT, seed:think, reasoning_scratchpad. The last of
# the others is a word, too, and is a mark where the next word follows without a space. An end alone
# is left where the host took out the rest, and "thought" alone where Gemini thought nothing.
TAG = r"(?i:[\w.:-]{0,20}?(?:think|thought|reason)(?:ing|s)?(?:_\w{1,20})?)"
MARK = regex.compile(
    rf"<(?P<tag>{TAG})>|</{TAG}>|thought(?: ?(?:\[\]|\(\))|(?=\p{{Lu}}))|"
    + "|".join(map(regex.escape, MARKS))
    + r"(?=\p{Lu})"
)
# The end of thoughts, alone on its line, or code, in which it is none. With four spaces before it,
# it is code, too.
ENDING = regex.compile(rf"(?ms){CODE}|^ {{0,3}}(?P<end>{END})[^\S\n]*$")


def without_thoughts(reply: str) -> str:
    """A whole reply without its leading thoughts, which a model's template may have begun."""
    begun = reply.find(BEGIN)
    for found in ENDING.finditer(reply) if END in reply else ():
        if 0 <= begun < found.start():
            break
        if found["end"]:
            return reply[found.end() :].strip()
    return "".join(deltas_without_thoughts([reply]))


def deltas_without_thoughts(deltas: Iterable[str]) -> Iterator[str]:
    """The deltas without thoughts, and without the space around the reply; none is blank.

    Thoughts that do not end leave nothing; those that began with a word ("analysis") are kept.
    What may begin a mark is held back; before a failure of the upstream comes all that was written.
    Linear in the deltas.
    """
    blanks = list[str]()
    for text in _begun(iter(deltas)):
        if kept := text.rstrip():
            yield "".join([*blanks, kept])
            blanks.clear()
        blanks.append(text[len(kept) :])


def _begun(deltas: Iterator[str]) -> Iterator[str]:
    """The reply from its first character that is neither space nor thought."""
    held, mark = "", None
    try:
        for delta in deltas:
            held = (held + delta).lstrip()
            mark = MARK.match(held, partial=True)
            if not (mark and mark.partial):
                break
    except UpstreamError:
        yield held
        raise
    if mark and not mark.partial:
        end = f"</{mark['tag']}>" if mark["tag"] else MARKS.get(mark[0], "")
        held = _behind(end, held[mark.end() :], deltas, is_word=mark[0][0].isalpha())
    for text in chain((held,), deltas):
        if begun := text.lstrip():
            yield begun
            yield from deltas


def _behind(end: str, held: str, deltas: Iterator[str], *, is_word: bool) -> str:
    """What is held once the thoughts have ended; if they never do, those that a word began."""
    thoughts = list[str]()
    while end not in held:
        if is_word:
            thoughts.append(held[: 1 - len(end)])
        held = held[1 - len(end) :]  # The end may have begun.
        if (delta := next(deltas, None)) is None:
            return "".join([*thoughts, held]) if is_word else ""
        held += delta
    return held[held.index(end) + len(end) :]
