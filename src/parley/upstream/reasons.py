"""What an upstream's own words are about: the model, the account, a time, an address.

Servers and gateways write them as they like, so that these rules name how it was met. Each looks at
one line of at most 1,000 characters.
"""

import re

ABSENT = (
    r"(?:not found|not exist|doesn't exist|(?:not|no longer) (?:available|supported)|unavailable"
    r"|unknown|invalid|unsupported|not installed|not a valid|no such|not recogni[sz]ed)"
)
"""What is said of a model that a host does not have."""

ABSENT_NAME = re.compile(
    r"model_(?:not_(?:found|available|supported)|unavailable|decommissioned)"
    r"|(?:invalid|unknown|unsupported)_model",
    re.IGNORECASE,
)
"""The codes that say so, whatever the words: Together's `model_not_available`, say."""

NEAR = r"(?:(?!\. )[^;!?]){0,60}?"
"""A few words of the same sentence."""

WORDS = (
    r"(?:\s+(?!(?:for|in|with|by|voice|language|speaker|parameter|argument|format|file|value)\b)"
    r"[\w']+){0,5}?\s+"
)
"""Up to five words, as in "is currently", of which none begins to speak of something else."""

QUOTA = re.compile(
    r"(?<![a-z])(?:(?:quota|budget|credit)s?(?![a-z])|(?:insufficient|not enough) (?:\w+ )?balance"
    r"|balance (?:\w+ )?(?:insufficient|not enough|too low))|余额|欠费|额度|配额",
    re.IGNORECASE,
)
"""What speaks of the quota, the budget, the credits or the balance."""

TIME = re.compile(
    rf"\b(?:retry|try(?:ing)? again|wait|resets?|available|renews?|until)\b{NEAR}"
    r"(?:\d|\b(?:an?|few|next) (?:second|minute|hour|day|week|month)|\b(?:tomorrow|midnight)\b)"
    r"|\d\s*(?:秒|分钟|小时|天)",
    re.IGNORECASE,
)
"""What says when to try again, as "in 20s" or "after midnight"."""

ADDRESS = re.compile(
    r"""
      \w://                                             # a URL
    | \b\d{1,3}(?:\.\d{1,3}){3}\b                       # IPv4
    | (?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])  # IPv6
    | \blocalhost\b | \b(?:host|port)\s?[=:]            # as clients print where they connect to
    | \b[\w-]+:\d{2,5}\b                                # a host and its port
    | (?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?![\w-]|\.\w)  # a name with a domain; a file
    | \b[A-Z0-9-]+(?:\.[A-Z0-9-]+)*\.[A-Z]{2,}\b(?![\w-]|\.\w)
    | (?<![\w<])[.~]{0,2}/\w | \w/[\w.-]+/ | \\\w       # a path
    """,
    re.VERBOSE,
)
"""What tells where something stands: an address, a URL, a path."""


def is_about_model(status: int, message: str, model: str, names: tuple[str, ...]) -> bool:
    """Whether a refusal says that a host does not know the model: it names it.

    A 404 need not say more. A 400 must say so of the model, in its words or by one of its names:
    "Voice 'x' is not available for model y" is about the voice.
    """
    if not model or status not in (400, 404):
        return False
    # Not a longer name that contains it, and not the address that was called.
    name = rf"(?:(?<![\w.=-])|(?<=(?<![?&\w])model=)){re.escape(model)}(?![\w-]|[.:/@]\w)"
    if status == 404 or any(map(ABSENT_NAME.fullmatch, names)):
        return re.search(name, message) is not None
    said = (
        rf"{name}[`'\")\]]?[:,]?{WORDS}{ABSENT}",
        rf"{ABSENT}[\s:`'\"]*{name}",
        rf"{ABSENT}[\s_]+models?\b{NEAR}{name}",
        rf"\bmodels?\b{NEAR}{ABSENT}{NEAR}{name}",
    )
    return any(re.search(each, message, re.IGNORECASE) for each in said)
