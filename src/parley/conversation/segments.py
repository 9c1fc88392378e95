"""A reply, while it is being written, to the segments that are spoken one by one."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex
import sentencex

from parley.conversation.speakable import speakable

SHORTEST, FIRST_CLAUSE, MERGED, LONGEST = 20, 40, 200, 400
"""Bounds in characters, of which East Asian wide ones count as three."""

_WIDE = regex.compile(r"[\p{EA=W}\p{EA=F}]")
_BLOCK_END = regex.compile(r"\n[ \t]*\n\s*")
_CLAUSE_END = regex.compile(r"[,;:–—،؛]\s+|[，、；：]")
# Where to cut what is too long, the best place first.
_CUTS = tuple(map(regex.compile, (r"[,;:.!?–—،؛]\s+|[，、；：。！？]", r"\s+", r"\X")))
_LIST_NUMBER = regex.compile(r"(?:^|\n)\s*\d+[.)]\s*\Z")
# What may open markup that closes later: its words are not known before it does.
_OPENER = regex.compile(r"(?<!\w)_+(?=\S)|\*+(?=\S)|~~(?=\S)|`|\[|<(?=[A-Za-z/!])")
_FENCE = regex.compile(r"^[ \t>]*(?:[-+*]|\d+[.)])?[ \t]*(`{3,}|~{3,})", regex.M)


@dataclass(frozen=True)
class Segment:
    """Some characters of the reply, and what the voice says of them: nothing, where it is empty."""

    text: str
    speakable: str


class Segmenter:
    """Cuts a reply into segments; joined, their texts are the reply, whatever it holds."""

    def __init__(self) -> None:
        """Begin with nothing received."""
        self._open = ""
        self._fence = ""
        self._is_first = True

    def feed(self, delta: str) -> list[Segment]:
        """The segments that are known now that `delta` was received."""
        ready: list[Segment] = []
        for start in range(0, len(delta), LONGEST):
            self._open += delta[start : start + LONGEST]
            ready += self._segments(is_last=False)
        return ready

    def finish(self) -> list[Segment]:
        """The rest: the reply has ended."""
        return list(self._segments(is_last=True))

    def _segments(self, *, is_last: bool) -> Iterator[Segment]:
        while end := self._next_end(is_last=is_last):
            text, self._open = self._open[:end], self._open[end:]
            yield Segment(text, self._speakable(text))
            self._fence = self._fence_open_after(text)
            self._is_first = False

    def _next_end(self, *, is_last: bool) -> int:
        """How many of the open characters are a segment; 0 where that is not known yet."""
        for end, shortest in sorted(self._ends()):
            text = self._open[:end]
            if length(text) > LONGEST or end == len(self._open):
                break
            if length(text) >= shortest and self._is_whole(text):
                return end
        if length(self._open) > LONGEST:
            return _forced_end(self._open)
        return len(self._open) if is_last else 0

    def _ends(self) -> Iterator[tuple[int, int]]:
        """Where a segment may end, each with the length that it must have for it."""
        for sentence in sentencex.get_sentence_boundaries("en", self._open):
            end = sentence["end_index"]
            if self._open[end - 1].isspace() or _WIDE.match(self._open[end - 1]):
                yield end, SHORTEST
        for block in _BLOCK_END.finditer(self._open):
            yield block.end(), SHORTEST
        if self._is_first:
            for clause in _CLAUSE_END.finditer(self._open):
                yield clause.end(), FIRST_CLAUSE

    def _is_whole(self, text: str) -> bool:
        """Whether what follows cannot change what is said of `text`."""
        if self._fence_open_after(text) or _LIST_NUMBER.search(text):
            return False
        return bool(_BLOCK_END.search(text, len(text.rstrip()))) or not _OPENER.search(
            self._speakable(text)
        )

    def _speakable(self, text: str) -> str:
        """What is said of `text`, which may begin within a block of code."""
        for mark in _FENCE.finditer(text) if self._fence else ():
            if mark[1].startswith(self._fence):
                return speakable(text[mark.end() :])
        return "" if self._fence else speakable(text)

    def _fence_open_after(self, text: str) -> str:
        """The marks that opened the block of code in which `text` ends, or nothing."""
        fence = self._fence
        for mark in _FENCE.finditer(text):
            if not fence:
                fence = mark[1]
            elif mark[1].startswith(fence):
                fence = ""
        return fence


class Waiting:
    """The segments that no voice has taken yet, which become longer ones while they wait."""

    def __init__(self) -> None:
        """Begin with none."""
        self._segments: deque[Segment] = deque()

    def __bool__(self) -> bool:
        return bool(self._segments)

    def add(self, segments: Iterable[Segment]) -> None:
        """Let these wait, too."""
        self._segments.extend(segments)

    def take(self) -> Segment:
        """The first that waits, and with it all that follow up to MERGED characters."""
        taken = [self._segments.popleft()]
        size = length(taken[0].text)
        while self._segments and (size := size + length(self._segments[0].text)) <= MERGED:
            taken.append(self._segments.popleft())
        speakable_parts = [segment.speakable for segment in taken if segment.speakable]
        return Segment("".join(segment.text for segment in taken), " ".join(speakable_parts))


def spoken(reply: str) -> str:
    """What the voice says of a whole reply: what it would say of it segment by segment."""
    segmenter = Segmenter()
    parts = [*segmenter.feed(reply), *segmenter.finish()]
    return " ".join(segment.speakable for segment in parts if segment.speakable)


def length(text: str) -> int:
    """How long a text is when it is spoken: East Asian wide characters count as three."""
    return len(text) + 2 * len(_WIDE.findall(text))


def _forced_end(text: str) -> int:
    """Where to cut what is too long: behind a clause, else a space, else a grapheme."""
    limit = next(i for i in range(LONGEST // 3, len(text) + 1) if length(text[:i]) > LONGEST) - 1
    for place in _CUTS:
        ends: list[int] = [match.end() for match in place.finditer(text)]
        ends = [end for end in ends if SHORTEST <= end <= limit]
        if ends:
            return ends[-1]
    return limit
