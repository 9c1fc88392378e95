"""What an upstream's own words are about, as they were met in lines of up to 2,000 characters."""

import re
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# What follows the name of a model that a host does not have.
ABSENT = (
    r"(?:(?:not|\w{0,6}n['\u2019]t) (?:(?:be|been|currently|a|in the list of|one of the) )?(?:found"
    r"|exist|available|accessible|supported|installed|loaded|deployed|served|registered"
    r"|recogni[sz]ed|valid|known)|no longer (?:available|supported)"
    r"|unavailable|not found|(?:unknown|invalid|unsupported)(?=\W*(?:\Z|[.,;:!?)]|model\b)))"
)
# What precedes the name of such a model.
ABSENT_MODEL = (
    r"(?:(?:unknown|invalid|unsupported|unavailable|unrecogni[sz]ed|not a valid"
    r"|no(?: such| matching)?"
    r"|(?:not|\w{0,6}n['\u2019]t|unable to|cannot|failed to) (?:find|locate|access|have|support)"
    r"(?: the| this)?|(?:not supported|no (?:available )?(?:channel|provider|endpoint|deployment)s?"
    r"(?: found| available)? for(?: the)?))[\s_]+models?(?:_?(?:id|name))?"
    r"|(?:unknown|invalid|unsupported) value (?:for|of) \W?model)\b"
    r"(?!\s+(?:parameter|option|setting|argument|input|output|config|type|format|version))"
)
# The codes that say so, whatever the words: Together's `model_not_available`, say.
ABSENT_NAME = re.compile(
    r"model_(?:not_(?:found|available|supported)|unavailable|decommissioned)"
    r"|(?:invalid|unknown|unsupported)_model",
    re.IGNORECASE,
)
NEAR = r"(?:(?!\. )[^;!?]){0,60}?"  # A few words of the same sentence.
# Up to five words, as in "is currently", of which none begins to speak of something else.
WORDS = (
    r"(?:\s+(?!(?:for|in|with|by|voice|language|speaker|parameter|argument|format|file|value)\b)"
    r"[\w']+){0,5}?\s+"
)
# What says that a host does not have "the model", which may be named in another sentence.
SAID_OF_MODEL = re.compile(
    rf"\bmodel(?: name| id)?\b{WORDS}{ABSENT}|\b{ABSENT_MODEL}(?: name| id)?\s*(?:[.:;,(]|\Z)",
    re.IGNORECASE,
)
# What speaks of the quota, the budget, the credits or the balance.
QUOTA = re.compile(
    r"(?<![a-z])(?:(?:quota|budget|credit)s?(?![a-z])|(?:insufficient|not enough) (?:\w+ )?balance"
    r"|balance (?:\w+ )?(?:insufficient|not enough|too low)|(?:insufficient|out of) funds"
    r"|spend(?:ing)? (?:limit|cap)|billing_(?:not_active|hard_limit))|余额|欠费|额度|配额",
    re.IGNORECASE,
)
AGAIN = (
    r"\b(?:retry|try(?:ing)? again|wait|resets?|resetting|available|renews?|renewed|until"
    r"|refresh(?:es|ed)?|refill(?:s|ed)?|replenish(?:es|ed)?|restored?|come back|cool-?down"
    r"|reopens?)\b"
)
# In English, Chinese, Japanese and Korean.
UNITS = dict.fromkeys(("ms", "milli", "毫秒"), 0.001) | dict.fromkeys(("s", "秒", "초"), 1.0)
UNITS |= dict.fromkeys(("m", "分", "분"), 60.0)
UNITS |= dict.fromkeys(("h", "小时", "小時", "時間", "시간"), 3600.0)
UNITS |= dict.fromkeys(("d", "天", "日", "일"), 86_400.0)
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
NUMBERS |= {"ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30, "sixty": 60}
NUMBER = "|".join(NUMBERS)
# What says when to try again, as "in 20s" or "after midnight"; a quota "per minute" does, too.
TIME = re.compile(
    rf"{AGAIN}{NEAR}(?:\d|\b(?:{NUMBER}|few|next) (?:second|minute|hour|day|week|month)"
    r"|\b(?:tomorrow|midnight|shortly|soon)\b)"
    r"|(?<![\d月])(?<!月 )\d+\s*个?[毫秒분초分小時天日시일]|\bper[ -](?:sec|min|hour)",
    re.IGNORECASE,
)
# A number and its unit, of which several may make a wait: `9m38.016s`, "1 hour and 5 minutes". No
# units are "8 H100", "1M tokens", "30 Dec" and the day of a month.
PART = (
    rf"((?<![\d.,月])\d{{1,9}}(?:\.\d{{1,9}})?|\b(?:{NUMBER})(?=\s))"
    r"(?-i:(?!\s?M\b|\s[A-Z](?![A-Za-z])))\s?个?"
    rf"(?!dec|may)({'|'.join(UNITS)})"
    r"(?:s?econds?|ecs?|inutes?|ins?|ours?|rs?|ays?|[钟鐘間])?(?![a-z]|\d+\b(?!\.))"
)
PARTS = rf"(?:{PART}[, ]{{0,2}}(?:and )?){{1,4}}"
# A moment: as ISO 8601 and HTTP have it, counted from 1970, or a time of the day in UTC.
MOMENT = (
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?: ?(?:Z|UTC|GMT)|[+-]\d\d:\d\d)?"
    r"|\d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d GMT|\d\d:\d\d(?::\d\d)? ?(?:Z|UTC|GMT)|1\d{9}(?:\d{3})?\b"
)
# Such a wait or moment as the first number in what is said of another try.
WAIT = re.compile(
    rf"(?P<again>{AGAIN}(?:(?!\. )[^;!?\d]){{0,60}}?|等待?\s?)?(?P<wait>{PARTS}|{MOMENT})"
    r"(?(again)|\s?(?:[以之]?[后後]|お?待|후|뒤))",
    re.IGNORECASE,
)
# What tells where something stands: an address, a URL, a path.
ADDRESS = re.compile(
    r"""
      \w://                                             # a URL
    | \b\d{1,3}(?:\.\d{1,3}){3}\b                       # IPv4
    | (?<![\w:])(?i:(?:[0-9a-f]{1,4}:){4,7}|(?:[0-9a-f]{0,4}:){1,7}:)  # IPv6
      [:\da-fA-F]{0,39}(?![\w:])
    | \b(?i:localhost|getaddrinfo|server\sat)\b        # as clients print where they connect to,
    | \b(?i:host(?:name)?|port|server)\s?[=:]          # or what they look up
    | (?<![\w.-])(?!(?:code|error|line|status)\b)[A-Za-z][\w-]*:\d{2,5}\b  # a host and its port
    | (?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?![\w-]|\.\w)  # a name with a domain; a file
    | \b[A-Z0-9-]+(?:\.[A-Z0-9-]+)*\.[A-Z]{2,}\b(?![\w-]|\.\w)
    | (?<![\w<])[.~]{0,2}/\w | \w/[\w.-]+/ | \\\w       # a path
    """,
    re.VERBOSE,
)


def seconds_in(text: str, unit: float = 1.0) -> float | None:
    """The seconds of a number of units, or of a text such as `9m38s`, or until a moment (MOMENT).

    None for any other text. A number of units that is too large for a wait is a moment, too.
    """
    if re.fullmatch(PARTS, short := text.lower()):
        parts = re.findall(PART, short)
        return sum(float(NUMBERS.get(number, number)) * UNITS[name] for number, name in parts)
    now = datetime.now(UTC)
    with suppress(ValueError):
        seconds = float(text) * unit
        if seconds > 1e9:  # So many seconds are 31 years; so many milliseconds a moment of 1973.
            seconds = max(0.0, seconds / (1000 if seconds > 1e11 else 1) - now.timestamp())
        return seconds if seconds >= 0 else None
    iso = re.sub(r" ?(?:UTC|GMT)", "Z", text.upper())
    today = f"{now:%Y-%m-%d} " if iso[2:3] == ":" and iso[-1] == "Z" else ""  # Else it is a span.
    for read, written in ((datetime.fromisoformat, today + iso), (parsedate_to_datetime, text)):
        with suppress(ValueError, TypeError, OverflowError):
            moment = read(written)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
            return seconds % 86_400 if today else max(0.0, seconds)
    return None


def is_about_model(status: int, message: str, model: str, names: tuple[str, ...]) -> bool:
    """Whether a refusal says that a host does not know the model: it names it.

    A 404 need not say more, nor a 410. A 400 must say so of the model, in its words or by one of
    its names: "Voice 'x' is not available for model y" is about the voice.
    """
    if not model or status not in (400, 404, 410):
        return False
    # Not a longer name that contains it, and not the address that was called.
    name = rf"(?:(?<![\w.=-])|(?<=(?<![?&\w])model=)){re.escape(model)}(?![\w-]|[.:/@]\w)"
    if status != 400 or any(map(ABSENT_NAME.fullmatch, names)):
        return re.search(name, message) is not None
    said = (
        rf"{name}[\"`'\u2019\u201d)\]]?[:,]?{WORDS}{ABSENT}",
        rf"\b(?:unknown|invalid|unsupported|no such)[\s:`'\"]*{name}",
        rf"\b{ABSENT_MODEL}{NEAR}{name}",
        rf"\bmodels?\b{NEAR}{ABSENT}{NEAR}{name}",
        rf"(?:模型|モデル)\W*{name}\W*(?:不存在|未找到|找不到|不可用|が?見つかりません|は?存在しません)",
    )
    is_said = any(re.search(each, message, re.IGNORECASE) for each in said)
    return is_said or bool(SAID_OF_MODEL.search(message) and re.search(name, message))
