"""Formulas in LaTeX to signs that a voice reads in any language, such as ≤ for its `leq`."""

import regex

_PAIRS = (
    "le=≤ leq=≤ ge=≥ geq=≥ ne=≠ neq=≠ approx=≈ times=\u00d7 cdot=\u00d7 div=÷ pm=± degree=°"
    " sqrt=√ infty=∞ sum=∑ int=∫ partial=∂ in=∈ cup=\u222a cap=∩ to=→ rightarrow=→ Rightarrow=⇒"
    " dots=… ldots=… cdots=… angle=∠ triangle=∆ perp=⊥ parallel=∥ equiv=≡ propto=∝ mp=∓ lt=< gt=>"
    " subset=⊂ subseteq=⊆ notin=∉ forall=∀ exists=∃ neg=¬ land=∧ lor=\u2228 implies=⇒ iff=⇔ nabla=∇"
    " lceil=⌈ rceil=⌉ lfloor=⌊ rfloor=⌋"
)
_SIGNS = dict(pair.split("=") for pair in _PAIRS.split())
_GROUP = r"\s*\{((?:[^{}]|\{[^{}]*\})*)\}"
# \(…\), \[…\], $$…$$ and $…$. The last is told from prices and names of variables as Pandoc tells
# it, by the spaces and the digit beside its marks, and has to be a letter or hold a sign of TeX.
# Some models write TeX without marks: \boxed{42}, 3 \times 4.
_FORMULA = regex.compile(
    r"""
      \\\( (?P<tex>.{1,400}?) \\\) | \\\[ (?P<tex>.{1,400}?) \\\] | \$\$ (?P<tex>[^$]{1,400}) \$\$
    | (?<![\p{Lu}\p{Ll}\p{N}$]) \$ (?=[^$\n]{0,400}[\\^_{}=]|\p{L}\$)
      (?P<tex>[^\s$] (?:[^$\n]{0,400} [^\s$])?) \$ (?![\p{N}$])
    | (?P<tex>\\begin\{[^{}]*\} .{1,400}? \\end\{[^{}]*\}|\\(?!begin)[A-Za-z]{2,}(?:GROUP)+)
    | (?<![^\s\p{N}]) (?P<tex>\\(?:SIGNS|lim)(?:[_^]GROUP)*) (?![\p{L}\\])
    """.replace("GROUP", _GROUP).replace("SIGNS", "|".join(_SIGNS)),
    regex.VERBOSE | regex.DOTALL,
)
_OPENING = regex.compile(r"\\(?:[(\[]|begin\{)|\$\$|\$(?=[^\s$]*[\\^_{])")
_FRACTION = regex.compile(rf"\\[cdt]?frac{_GROUP}{_GROUP}")
_DEGREES = regex.compile(r"\^\s*\{?\s*\\circ\b\s*\}?")
_COMMAND = regex.compile(r"\\(?:([A-Za-z]+)\*?|(.))", regex.DOTALL)
_WORD = regex.compile(
    r"(?i)alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau"
    r"|upsilon|phi|chi|psi|omega|sin|cos|tan|cot|log|ln|exp|lim|max|min"
)
_ENVIRONMENT = regex.compile(r"\\(?:begin|end)\s*\{[^{}]*\}")
_MARKUP = regex.compile(r"[{}&_~]")


def without_latex(text: str) -> str:
    """The text with its formulas in words and signs; commands for how they look become nothing."""
    if "$" not in text and "\\" not in text:
        return text
    return _FORMULA.sub(lambda formula: _said(formula["tex"]), text)


def ends_amid_latex(text: str) -> bool:
    """Whether a formula has begun in the text that has not ended."""
    return ("$" in text or "\\" in text) and bool(_OPENING.search(_FORMULA.sub("", text)))


def _said(tex: str) -> str:
    tex = _FRACTION.sub(r"\1/\2", _ENVIRONMENT.sub("", _DEGREES.sub("°", tex)))
    return _MARKUP.sub(lambda mark: "" if mark[0] in "{}" else " ", _COMMAND.sub(_sign, tex))


def _sign(command: regex.Match[str]) -> str:
    name = command[1] or ""
    if not name:
        return {"\\": ", ", "%": "%", "$": "$", "#": "#"}.get(command[2], " ")
    return _SIGNS.get(name, f" {name} " if _WORD.fullmatch(name) else "")
