"""What is spoken of a reply is what a person would want to hear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.conversation.speakable import speakable


@pytest.mark.parametrize(
    ("reply", "spoken"),
    [
        ("Just a sentence.", "Just a sentence."),
        ("**Bold** and *italic* and ***both***", "Bold and italic and both"),
        ("2 * 3 = 6, a*b + c*d, 2**3 and 4**5", "2 * 3 = 6, a*b + c*d, 2**3 and 4**5"),
        ("x**2 + (a)**n = 10**-3 or a ** b, *n**2*", "x**2 + (a)**n = 10**-3 or a ** b, n**2"),
        ("2**wichtig**. **Area: r**2**", "2wichtig. Area: r2"),
        ("snake_case_name, a__b and _this_", "snake_case_name, a_b and this"),
        ("an *opened star", "an opened star"),
        ("[text](https://example.com/x 'Title')", "text"),
        ("[text][1] more\n\n[1]: https://example.com", "text more"),
        ("see https://www.example.com/a/b?c=d#e=.", "see example.com."),
        ("see <https://example.com/a>.", "see example.com."),
        ("see (https://example.com/a_(b)).", "see (example.com)."),
        ("see www.example.com/a?b, or awww.no", "see example.com, or awww.no"),
        ("[a](file:///b) [c](javascript:d(0)) [e](<>)", "a c e"),
        ("> [!NOTE]\n> Look here.", "Look here."),
        ("访问https://example.com/路。好", "访问example.com路。好"),
        ("![a *small* dog](dog.png) runs", "a small dog runs"),
        ("use `ls -l`", "use ls -l"),
        ("```\nx = 1\n```", ""),
        ("~~~py\nx = 1", ""),
        ("```\n```py\na ``` b\n``` So.", "So."),
        ("``` `a b` is", "a b is"),
        ("    indented prose", "indented prose"),
        ("# Title\n\nText", "Title. Text"),
        ("Title\n===\nText", "Title. Text"),
        ("- one\n- two!\n  - three", "one. two! three"),
        ("- [ ] to do\n- [x] done", "to do. done"),
        ("1986. A great year", "1986. A great year"),
        ("- 一\n- 二", "一。 二"),
        ("a\n\n---\n\nb", "a. b"),
        ("| a | b |\n|---|---|\n| c | d \\| e |", "a, b. c, d | e"),
        ("H<sub>2</sub>O<br>and &lt;more&gt;", "H2O and <more>"),
        ("<div>\nHello\n</div>\n<!-- not this -->", "Hello"),
        ("fact[^1]\n\n[^1]: A note. Another.", "fact"),
        ("fact【4†source】 here", "fact here"),
        ("so [1]. Then[2][3], too [^4][^5].", "so. Then, too."),  # As models that search write it.
        ("It is so [1].\n[1]: https://example.com/a", "It is so."),
        ("a[1]b, list[0], x[123], [10](x), [Enter]", "a[1]b, list[0], x[123], 10, [Enter]"),
        ("\\*not bold\\*", "*not bold*"),
        ("Let $6{x}_{1} + 4{x}_{2} \\leq  {24}$ be", "Let 6x 1 + 4x 2 ≤ 24 be"),
        ("so \\(a^2 = c^2\\) and $x$", "so a^2 = c^2 and x"),
        ("\\[ \\frac{a+b}{c_{1}} \\ne \\text{no} \\]", "a+b/c 1 ≠ no"),
        ("$$\\begin{aligned} x &= 1 \\\\ y &= 2 \\end{aligned}$$", "x = 1 , y = 2"),
        ("$90^\\circ$, 5\\% and \\(\\pi\\,r\\)", "90°, 5% and pi r"),
        *(
            (text, text)
            for text in ("$5 or $10", "$A_B and $C_D", "A$5_0, 6 A$", "$5_0-$10", "$5 (US$)")
        ),
        ("┌─────┐\n│ box │\n└─────┘", "box"),
        ("★ one ■ two ➜ three ❶ 10 → 20 °C", "one two three ❶ 10 → 20 °C"),
        ("So \\boxed{42} is 3 \\times 14.", "So 42 is 3 × 14."),
        ("\\begin{aligned} x &= 1 \\end{aligned}", "x = 1"),
        ("\\d{3}, C:\\a\\in\\to", "\\d{3}, C:\\a\\in\\to"),
        ("Hi.<|im_end|>\n<|im_start|>assistant\nA<end_of_turn> b<｜eos｜>", "Hi. A b"),
        ("[INST] a [/INST] b", "a b"),
        (
            "Put `<your_name>` or <a_key>, [a|b] or <a|b>.",
            "Put <your_name> or <a_key>, [a|b] or <a|b>.",
        ),
        ("tr [:lower:] [:upper:], x[:end:]", "tr [:lower:] [:upper:], x[:end:]"),
        ('Yes. <tool_call>{"a": "B. C"}</tool_call> No <function=a>b</function>.', "Yes. No ."),
        ("<tool><a>b</a></tool>Yes, the <tool> <invoke n='a'>b</invoke>is.", "Yes, the <tool> is."),
        ("if x<y and y>z, <your name>!", "if x < y and y > z, your name!"),
        ("<details open>a</details> <input disabled>", "a"),
        ("a <style>p {c: d}</style>b <script>e()</script>c <think>d</think>e", "a b c e"),
        ("<img src='x' alt=\"An apple\"> or <img alt='b'/>, <img>", "An apple or b,"),
        ("==a== ~b c~ ||d|| ~5 to ~6, a == b", "a b c d ~5 to ~6, a == b"),
        ("x==y==z, a~b~ c, ~5 or ~ 6", "x==y==z, a~b~ c, ~5 or ~ 6"),
        ("$\\triangle OAC$, $\\angle A \\perp b$", "∆ OAC, ∠ A ⊥ b"),
        (
            "<｜tool▁calls▁begin｜><｜tool▁begin｜>f\n```\n{}\n```<｜tool▁end｜><｜tool▁calls▁end｜>Yes",
            "Yes",
        ),
        ('Yes.\n<|python_tag|>{"a": "b"}<|eom_id|>', "Yes."),
        ('Yes. [TOOL_CALLS][{"name": "a"}]', "Yes."),
        ('Yes.\n{"name": "f", "arguments": {"a": "b"}}\nNo {"name": 1}.', 'Yes. No {"name": 1}.'),
        ("so.\ue200cite\ue202turn0search1\ue201 A citeturn0news1turn1view0.", "so. A."),
        ("so [citation:3][doc1] [cite:a3f-4], [document]", "so, [document]"),
        ("[cite_start]so [cite: 1, 2][web:3] [source: 4]【5】 【6】", "so"),
        (
            "【1】是 ([oai_citation:0‡a](https://b)):contentReference[oaicite:0]{index=0}",
            "【1】是 ()",
        ),
        ("so [1](https://a.b/c)[[2]](http://d) [3](@e), [10](f) [2023](https://g)", "so, 10 2023"),
        (
            "Use `<think>` and `</think>`, or <think> and </think> so.",
            "Use <think> and </think>, or <think> and </think> so.",
        ),
        ("So:\n<script> – code.\n<style>, too.", "So: <script> – code. <style>, too."),
        ("<script>标签\n<style>标签", "<script>标签。 <style>标签"),
        ('Sure! f(a="b")', "Sure!"),
        ("  <tool>a</tool>\n  <tool>a</tool>\nThen so.", "Then so."),
        ("Use it:\n<tool>\n- Try it.", "Use it: <tool> Try it."),
        ("用它：\n<tool>\n很好。", "用它： <tool> 很好。"),
        *((f"```py\nx = 1{end}So it is.", "So it is.") for end in ("\n```", "\n``` ", "```\n")),
        ("```md\n```code```\n```\nSo.", "So."),
        ("```md\n```py\nx\n```\na\n```\nSo. ```md```", "So. md"),
        ("```md\na\n```\nSo.\n```py\nx\n```\nIt is.", "So. It is."),
        ("<script>\nand so on it goes.", "<script> and so on it goes."),
        ("<style>\nbody p { a }", ""),
        ("[excited] Oh! *Laughs* Yes. (sighs)", "Oh! Yes."),
        ("(Sighs) Yes.", "Yes."),
        (":::artifact{a='b c'}\n```html\na\n```\n:::\n:::note\nSo.", "So."),
        ("A <grok:render id='a'><argument n='b'>3</argument></grok:render>.", "A ."),
        ('So:\n<antArtifact id="a">\na()\n</antArtifact>\nYes.', "So: Yes."),
        ("\x1b[31mred\x1b[0m \x07\u202eso\u202c, می\u200cشود", "red so, می\u200cشود"),
        ('Hi!\\n\\n"Yes.\\r\\nNo. C:\\new a\\nB', 'Hi! "Yes. No. C:\\new a\\nB'),
        ("He [laughs softly] is [clears throat] so（苦笑）.", "He is so."),
        ("1. set_it()\n2. f_x(a=1)", "1. set_it(). 2. f_x(a=1)"),
        ("My call:\nget_it()\n\nOr:\n[get_it()]", "My call: get_it(). Or: [get_it()]"),
        ("get_it()\nis it", "get_it() is it"),
        ("<Ann> Hi!\n<Bob> No.\n\n<Note>\n\nYes.", "Ann Hi! Bob No. Yes."),
        *(
            (f"Use it:\n<{tag}>\nThe hammer is good.", f"Use it: <{tag}> The hammer is good.")
            for tag in ("tool", "tools", "function", "parameter", "invoke", "style", "script")
        ),
        ('{"tool": "f", "args": "a"}. Then so.', ". Then so."),
        ("Stop it. <pause> Go.", "Stop it. Go."),
        ("Give him a\ncall\n<b>now</b>.", "Give him a call now."),
        ('{"tool_calls": [{}]} is odd.', "is odd."),
        ("```\n<tool_call>\n```\nThen so.", "Then so."),
        (
            "It writes [TOOL_CALLS] or <|python_tag|> before them, `<|python_tag|>` always.",
            "It writes [TOOL_CALLS] or before them, always.",
        ),
        (
            "Press <Enter>, <user>@<host>, List<int>: a <p>.",
            "Press Enter, user@host, List int: a p.",
        ),
        ("<user> is you. <b> A </b> B <i>c. <laugh> D", "user is you. A B c. D"),
        ("<speak> Hi\n<answer>\nNo", "Hi. No"),
        *(
            (text, text)
            for text in (
                '{"name": "Al", "age": 3}',
                '{"text": "a"}',
                "是【3】，选[2]。",
                "It is [3].",
                "call: it {a}, f(a=1) is f() [pause] [A: b]",
                *(
                    "It is (laughs) so",
                    "Type [sad] So. [Sad] news",
                    "It. (Coughing) is it",
                    "[cough](a",
                    "[Whisper] is it, as [laughable] is",
                    "1. [happy]",
                    "（笑）は何ですか",
                    'Type "Hi.\\n" so',
                ),
                *('print(end="")', "f(x=1)", "It is f. max(key=len)", "@al: {laughs} Hi"),
                *("functions.php {it} is so", "a <y=3> b", "<1=bad>, <5=good>"),
            )
        ),
        *(
            (f"Yes.\n{call}\nNo.", "Yes. No.")
            for call in (
                '[{"name": "f", "arguments": {"a": "b"}}]',
                '{"role": "assistant", "content": null, "tool_calls": [{"a": "b"}]}',
                '{"type": "function", "function": {"name": "f"}}',
                '[{"id": "call-1", "type": "tool_use", "name": "f"}]',
                '{"tool_name": "f", "parameters": {"a": "b"}}',
                '{"tool": "f", "tool_input": "a"}',
                '{\n  "action": "f",\n  "args": {\n    "a": "b"\n  }\n}',
                'f:0<|tool_call_argument_begin|>{"a": "b"}<|tool_calls_section_end|>',
                "<|tool_call>call:f{a:b}<tool_call|>",
                *(
                    f'<{dsml}calls>\n<{dsml}invoke name="append">\n<{dsml}parameter name="a">'
                    f"b. C</{dsml}parameter>\n</{dsml}invoke>\n</{dsml}calls>"
                    for dsml in ("｜DSML｜", "｜｜ DSML ｜｜ ", "‖DSML‖", "|DSML|")
                ),
                "<function>\n<name>a</name>\nb</｜DSML｜parameter>\n</｜DSML｜invoke>",
                "</｜DSML｜parameter>\n</｜DSML｜invoke>",
                "<TOOLCALL>a</TOOLCALL> <longcat_tool_call>\nb</longcat_tool_call>",
                '<|open|>toolscall tool="f"<|sep|>\na<|close|>call<|sep|><|close|>tools<|sep|>',
                "call:f{a:b}",
                '<details type="reasoning" done="true">\n<summary>a</summary>\n> b\n</details>',
                'call\n<invoke name="f">\na</invoke>',
                "declaration:default_api:f{a:[{b:c}]}",
                'to=functions.f 天天\n{"a": "b"}цҳауеит',
                '@f(a-1): {"a": "b"}',
                'f.g(a="b. C", d=1)',
                *("end_conversation()", "[end_it(), g(a=1)]", '[f(a="b. C")]'),
                "<parameter=a>\nb\n</parameter>\n</function>\n</tool_call>",
                "[COLORS:Ann=#c8a86e,Bob=#b5654a]",
                "<pause=1s> [laughs]",
            )
        ),
        ("公式$n^2$是, \\(\\lceil x \\rceil\\)", "公式n^2是, ⌈ x ⌉"),
        ("\\sum_{i=1}^{n} a, \\lim_{b} C:\\in\\a_b", "∑ i=1^n a, lim b C:\\in\\a_b"),
        ("A = side<sup>2</sup>, or side<sup>2</sup> + 1", "A = side2, or side2 + 1"),
        (
            "so.<sup>1</sup> It is<sup>[2](a)</sup> then<sup>3</sup> Meter<sup>2</sup>",
            "so. It is2 then Meter2",
        ),
        (":smile: 12:30:45 :+1: a::b:c: :)", "12:30:45 a::b:c: :)"),
        ("See ftp://www.example.com/a.", "See example.com."),
        ("soft\u00adhyphen, fill ___ in, 小明____去", "softhyphen, fill in, 小明 去"),
        ("zero\u200bwidth", "zerowidth"),
        ("| a | b |\n|---|---|\n| ✅ | c |\n| - |", "a, b. c"),
        ("Red\nGreen\nand blue,\nBlack", "Red. Green and blue, Black"),
        ("• one\n• two\na) three", "one. two. a) three"),
        ("So:<ul>\n<li><b>One</b> is.", "So: One is."),  # Which goes on in the next segment.
        ("<ul><li>One</li><br><li>Two <b>x</b>y <i/></li></ul>is<br>", "One. Two xy is"),
        (f"{'a ' * 20}b\nC{' c' * 40}\n✅ d", f"{'a ' * 20}b C{' c' * 40}. d"),
        (f"{'a ' * 19}bb\nC", f"{'a ' * 19}bb. C"),
        ("👍🏽 yes 1️⃣ ©", "yes 1 ©"),
        ("🎉", ""),
        ("...", ""),
        (" \n\n ", ""),
        ("", ""),
    ],
)
def test_markup_becomes_words_or_nothing(reply, spoken):
    """Addresses, code and emoji are silent, and no word, number or sign of arithmetic is lost."""
    assert speakable(reply) == spoken


SIGNS = "aé١1 .,;:?!'’\"()–—…-*_~`&<>[]\\#|/=+@^"
MARKUP = [*SIGNS, "&lt;", "*a*", "_a_", "~~a~~", "`a`", "[a](b)", "<b>"]


@given(st.lists(st.sampled_from(MARKUP)).map("".join))
def test_what_is_plain_is_said_as_the_parser_would_have_it(text):
    """The same text with the end of a line is parsed in any case."""
    assert speakable(f"A{text}") == speakable(f"A{text}\n")
