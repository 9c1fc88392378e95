"""A model's leading thoughts, as <think>…</think>, taken out of a reply while it is written."""

import re
from collections.abc import Iterable, Iterator

import regex

from parley.conversation.speakable import fence_after
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
# is left where the host took out the rest.
TAG = r"(?i:[\w.:-]{0,20}?(?:think|thought|reason)(?:ing|s)?(?:_\w{1,20})?)"
MARK = regex.compile(
    rf"<(?P<tag>{TAG})>|</{TAG}>|" + "|".join(map(regex.escape, MARKS)) + r"(?=\p{Lu})"
)
# The end of thoughts, alone on its line; with four spaces before it, it is code.
ENDING = re.compile(rf"^ {{0,3}}{END}[^\S\n]*$", re.MULTILINE)


class ThoughtFilter:
    """Passes on what is meant for the caller: all but thoughts at the reply's very beginning.

    Space before the thoughts, and between them and the reply, belongs to them. Thoughts that do
    not end leave nothing.
    """

    def __init__(self) -> None:
        self._blanks: list[str] = []
        self._held = self._end = ""
        self._speaks = self._thought = False

    def feed(self, delta: str) -> str:
        """What can be shown now; what may begin a mark is held, with the space before it."""
        if self._speaks:
            return delta
        self._held += delta
        if end := self._end:
            thoughts, found, rest = self._held.partition(end)
            self._held = rest if found else thoughts[-len(end) + 1 :]
            self._end, self._thought = "" if found else end, True
        if self._end:
            return ""
        begun = self._held.lstrip()
        self._blanks.append(self._held[: len(self._held) - len(begun)])
        self._held = begun
        if not begun:
            return ""
        if not self._thought and (mark := MARK.match(begun, partial=True)):
            if mark.partial:
                return ""
            self._held = begun[mark.end() :]
            self._end = f"</{mark['tag']}>" if mark["tag"] else MARKS.get(mark[0], "")
            self._thought = not self._end
            return self.feed("")
        self._speaks = True
        return begun if self._thought else "".join([*self._blanks, begun])

    def finish(self) -> str:
        """What was held back, for it might have been the beginning of thoughts."""
        is_thought = self._thought or self._end
        return "" if is_thought or self._speaks else "".join([*self._blanks, self._held])


def without_thoughts(reply: str) -> str:
    """A whole reply without the thoughts at its beginning.

    Templates of some models open the thoughts themselves, so that the reply has only their end:
    `</think>` alone on its line, outside a block of code, and no `<think>` before it.
    """
    fence, read, begun = "", 0, reply.find(BEGIN)
    for end in ENDING.finditer(reply):
        fence, read = fence_after(reply[read : end.start()], fence), end.start()
        if 0 <= begun < read:
            break
        if not fence:
            return reply[end.end() :].strip()
    thoughts = ThoughtFilter()
    return (thoughts.feed(reply) + thoughts.finish()).strip()


def stripped(deltas: Iterable[str]) -> Iterator[str]:
    """The deltas without thoughts, and without the space around the reply; none is blank.

    Before a failure of the upstream comes all that was written. Linear in the deltas.
    """
    blanks, has_begun = list[str](), False
    for text in _filtered(deltas):
        begun = text if has_begun else text.lstrip()
        if kept := begun.rstrip():
            has_begun = True
            yield "".join([*blanks, kept])
            blanks.clear()
        if has_begun:
            blanks.append(begun[len(kept) :])


def _filtered(deltas: Iterable[str]) -> Iterator[str]:
    thoughts = ThoughtFilter()
    try:
        yield from map(thoughts.feed, deltas)
    except UpstreamError:
        yield thoughts.finish()
        raise
    yield thoughts.finish()
