"""What of a reply is not for a listener: blocks of code, calls of tools, thoughts, and sources."""

import regex

# Elements that hold calls of tools, thoughts, and what a browser or a page reads.
HIDDEN = (
    r"(?:\w+:|longcat_)?(?:tool|function|think|thought|reasoning)\w*|TOOLCALL|invoke|parameter"
    r"|style|script|details(?=\stype=)|grok:render|antArtifact"
)
# A reply tells of such a mark where words follow in its line, or that of a tool in the next line.
_NAMED = r"(?![^\S\n]+[\p{Ll}\p{Lo}])"
_SPOKEN_OF = (
    r"(?![^\S\n]+[^\s{\[<]|[\p{Lo},.:;)'’\"”]"
    r"|(?<=<(?:tool|function|parameter|invoke|style|script)s?>)\s*\n\s*"
    r"(?:\p{Lu}[\p{L}'’]*,?[ ]\w|\p{Lo}|[-*•][ ]|(?<=<s[^>]*>\s*)(?:\p{Ll}+[ ]){3}\p{Ll}))"
)
# A block of code, and `open` where the text ends amid it. Some write a sentence behind its end, or
# the end behind code; a mark with one word begins another block, which Markdown holds until both
# have ended. Linear in the text.
CODE = (
    r"^[ \t>]*+(?:(?:[-+*]|\d++[.)])[ \t]*+)?+(?P<mark>`{3,}(?![^\n`]*`)|~{3,})"
    r"(?:(?P<md>(?:md|markdown)(?=\s*\n))(?:(?:(?!^[ \t]*(?P=mark)\s).)*?"
    r"(?P<inner>^[ \t]*(?P=mark)\w+[^\S\n]*\n).*?(?P<ended>^[ \t]*(?P=mark)[^\S\n]*$|\Z))*+)?+.*?"
    r"(?:^[ \t>]*+(?P=mark)[`~]*+(?!\w+[^\S\n]*$|\w[^\n]*`)|^[^`\n]+(?P=mark)[^\S\n]*$"
    r"|(?P<open>\Z))"
)
# DeepSeek's mark of calls, with any bars, which may end other elements, too.
_DSML = r"[|｜‖]+[ ]?DSML[ ]?[|｜‖][^<>\n]*+"
# Elements: with their end, or to the end of the text where they begin a line.
_ELEMENTS = (
    rf"<(?P<tag>{HIDDEN})\b[^<>]*>{_NAMED}.*?</(?:(?P=tag)|{_DSML})>"
    rf"|<(?<=^[ \t]*<)(?P<element>{HIDDEN})\b[^<>]*>{_SPOKEN_OF}.*(?P<open>\Z)"
)
# A tag amid whose value a text was cut: <pic prompt="…
_TAG = (
    r"(?P<begin><[A-Za-z][\w:-]*\s+[\w-]+=\")(?:\n[^<>]*+>|(?:\n[^<>]*+|[^<>\"]*+"
    r"(?:\"\s+[\w-]+=\"[^<>\"]*+)*+)(?P<open>\Z))"
)
# Calls in the tokens of a model, the words before some, and ends of calls that have no beginning.
_TOKENS = (
    r"^(?:call\n(?=<(?:invoke|function))|[\w.-]{1,64}:\d{1,3}(?=<[|｜]))"
    rf"|^</(?:{HIDDEN})>[ \t]*$|</{_DSML}>|(?P<begin>(?:<{_DSML}(?:>|\Z)|<\|open\|>tool"
    r"|<[|｜](?![^<>\n]*(?i:end))[^<>\n]*(?i:tool|action|python)[^<>\n]*>|\[TOOL_CALLS\])"
    rf"{_SPOKEN_OF}).*?(?:<[|｜][^<>|｜\n]*(?i:end|eo[mt])\w*[|｜]>|<\w*tool\w*[|｜]>"
    rf"|</{_DSML}>|<\|close\|>tool\w*<\|sep\|>|(?P<open>\Z))"
)
# Calls in JSON, or in braces behind a name. Other JSON may be what was asked for.
_JSON = (
    r"""^(?P<begin>(?:@\w+(?:\([\w-]*\))?:|to=functions\.[^\n{]*+)\s*+\{\s*\""""
    r"""|(?:call|declaration|default_api|functions)[:.]\w[\w.:-]*+(?:\{|\s*+\{\s*\")"""
    r"""|(?:\[\s*)?\{\s*(?:"(?:role|content|id)"\s*:\s*(?:"[\w-]*"|null)\s*,\s*)*"""
    r"""(?:"(?:tool_calls|function_call)"\s*:|"type"\s*:\s*"(?:function|tool_\w+)"\s*,"""
    r"""|"(?:name|action|(?:function|tool)(?:_name)?)"\s*:\s*"[\w.-]+"\s*,"""
    r"""\s*"(?:arg(?:ument)?s|param(?:eter)?s|(?:\w+_)?input)"\s*:))"""
    r".*?(?:\}[\])}]*(?:\p{L}+$|(?=[.,;:!?]?(?:[ \t]*$|[ \t]+\p{L})))|(?P<open>\Z))"
)
# Calls in words, alone on a line or behind a sentence: say(text="…"), end_it(). What a colon or the
# next line tells of is none, nor is what has no quotes and a plain name, as in f(x=1).
_WORDS = (
    r"(?:^|(?<=\D[.!?][ ]))\[?(?!print\()[a-z][\w.]*\((?:\w+=[^()\n\"']*[\"'][^()\n]*"
    r"|(?<=_\w+\()(?:\w+=[^()\n]*|(?<![:：]\s*\[?[\w.]+\()))\)"
    r"(?:,[ ]?[a-z][\w.]*\([^()\n]*\))*+\]?[ \t]*$(?!\n[ \t]*\p{Ll})"
)
# Numbers of notes behind a word, but no powers, and links that are such numbers.
_NOTES = (
    r"<sup>(?<=(?:[^\P{P}(]|\p{L}{4})<sup>)"
    r"(?<!(?:(?i:m[eèé]t(?:er|re|ro)s?)|[=+×·−]\s*\p{L}+)<sup>)"
    r"[\[(]?\d[^<>\n]*</sup>(?!\s*[=+×·−])"
    r"|[ ]?\[(?:\[?\d{1,3}\]?|oai_citation[^\[\]\n]*)\]\((?:https?://|@|\#)[^\s()]*\)"
)
# What models write for voices that act: [laughs softly], (笑); where a sentence begins, a mood and
# other brackets, too, unless it tells of them: [excited], (sighs), *laughs*.
SOUND = "chuckle|cough|exhale|gasp|giggle|groan|inhale|laugh|sigh|sniff|snort|sob|whisper|yawn"
_HEARD = rf"(?:(?:{SOUND})(?:les?|s|d|ed|ing|ter)?|clear(?:s|ing)[ ]throat)(?:[ ]\w+ly)?"
_MOOD = (
    "amused|angry|annoyed|calm|cheerful|confused|curious|excited|gentle|happy|mischievous|nervous"
    "|playful|sad|sarcastic|serious|surprised|sympathetic|thoughtful|warm"
)
_DIRECTIONS = (
    rf"\[{_HEARD}\](?![\[(:])|[(（]苦?笑[)）](?=[\s.,!?…、。！？]|\Z)"
    rf"|(?:^|(?<=\D[.!?…][ ]))(?i:\[(?:(?:{_MOOD})(?:ly)?|{_HEARD})\]"
    rf"|(?P<act>[(*_])(?:{SOUND})(?:s|ing)[)*_])(?=\s+[^\s\p{{Ll}}]|\s*\Z)"
)
# All of it. Code within a line is kept; `begin`, `element` or `mark` tells how an open block began.
_SILENT = regex.compile(
    rf"(?sm)(?P<kept>`[^`\n]++`)|{CODE}|{_ELEMENTS}|{_TAG}|{_TOKENS}|{_JSON}|{_WORDS}|{_NOTES}"
    rf"|{_DIRECTIONS}"
)
_MAY_BE_SILENT = regex.compile(rf"[<\[{{`~]|\((?<=\w\()\w*[=)]|[(（*_](?:(?i:{SOUND})|苦?笑)")
# A long address, amid which a text was cut, and what is left of one, with the end of its link.
_ADDRESS = "://"
_IN_ADDRESS = regex.compile(
    r"(?rV1)(?:(?P<link>\]\(<?)|(?:https?|ftp)://|data:\w+/[\w.+-]+;base64,)[!-~--[()<>]]*\Z"
)
_REST = regex.compile(r"(?V1)([!-~--[()<>]]*+)(?:>?(?:\s+(?:\"[^\"]*\"|'[^']*'))?\))?")


def without_silence(text: str) -> str:
    """The text without what is not for a listener, before its Markdown is read."""
    if not _MAY_BE_SILENT.search(text):
        return text
    return _SILENT.sub(lambda match: match["kept"] or "", text)


def fence_after(text: str, fence: str = "") -> str:
    """What opened the block or address in which `text` ends, as `fence` where it begins."""
    if fence == _ADDRESS:
        if next(_REST.finditer(text)).end(1) == len(text):
            return fence
        fence = ""
    text, fence = fence + text, ""
    for block in _SILENT.finditer(text) if _MAY_BE_SILENT.search(text) else ():
        if block["open"] is not None:
            element = block["element"] and f"<{block['element']} type=>"
            mark = block["mark"] and block["mark"] + (block["md"] or "")
            inner = block["inner"] if block["ended"] == "" else ""
            fence = f"{block['begin'] or element or mark}\n{inner}"
    return _ADDRESS if not fence and _IN_ADDRESS.search(text) else fence


def completed(text: str, fence: str) -> str:
    """The text without the rest of what `fence` opened; an address at its end is closed."""
    if fence == _ADDRESS:
        text = text[next(_REST.finditer(text)).end() :]
    elif fence and (block := _SILENT.match(fence + text)):
        text = text[block.end() - len(fence) :]
    if address := _IN_ADDRESS.search(text):
        text += {None: "/", "](": ")", "](<": ">)"}[address["link"]]
    return text
