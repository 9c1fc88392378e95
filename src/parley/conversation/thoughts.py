"""A self-hosted model's leading <think>…</think> taken out of a reply while it is written."""

import re

from parley.conversation.speakable import fence_after

BEGIN, END = "<think>", "</think>"
ENDING = re.compile(rf"^ {{0,3}}{END}[^\S\n]*$", re.MULTILINE)
"""The end of thoughts, alone on its line; with four spaces before it, it is code."""


class ThoughtFilter:
    """Passes on what is meant for the caller: all but thoughts at the reply's very beginning.

    Space before the thoughts, and between them and the reply, belongs to them. Thoughts that do
    not end leave nothing.
    """

    def __init__(self) -> None:
        """Begin a reply."""
        self._blanks: list[str] = []
        self._held = ""
        self._thinks = False
        self._speaks = False
        self._thought = False

    def feed(self, delta: str) -> str:
        """What of the reply can be shown now that `delta` has been written.

        As much is held as may be the beginning of a mark, and the space before it.
        """
        if self._speaks:
            return delta
        self._held += delta
        if self._thinks:
            thoughts, found, rest = self._held.partition(END)
            self._held = rest if found else thoughts[-len(END) + 1 :]
            self._thinks, self._thought = not found, True
        if self._thinks:
            return ""
        begun = self._held.lstrip()
        self._blanks.append(self._held[: len(self._held) - len(begun)])
        self._held = begun
        if not self._thought and begun.startswith(BEGIN):
            self._held, self._thinks = begun.removeprefix(BEGIN), True
            return self.feed("")
        if not begun or (not self._thought and BEGIN.startswith(begun)):
            return ""
        self._speaks = True
        return begun if self._thought else "".join([*self._blanks, begun])

    def finish(self) -> str:
        """What was held back, for it might have been the beginning of thoughts."""
        if self._thought or self._thinks or self._speaks:
            return ""
        return "".join([*self._blanks, self._held])


def without_thoughts(reply: str) -> str:
    """A whole reply without the thoughts at its beginning.

    Templates of some models open the thoughts themselves, so that the reply has only their end:
    `</think>` alone on its line, outside a block of code, and no `<think>` before it.
    """
    fence, read = "", 0
    for end in ENDING.finditer(reply):
        fence, read = fence_after(reply[read : end.start()], fence), end.start()
        if not fence:
            if BEGIN not in reply[:read]:
                return reply[end.end() :].strip()
            break
    thoughts = ThoughtFilter()
    return (thoughts.feed(reply) + thoughts.finish()).strip()
