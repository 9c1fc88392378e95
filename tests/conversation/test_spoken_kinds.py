"""Each kind of text in a reply that is being written: where it is cut, and what is said of it."""

import pytest

from parley.conversation.segments import Segmenter

KINDS = {
    "abbreviations": (
        "We use tools, e.g. hammers, at home. Mr. Smith likes them a lot, i.e. very much.",
        ["We use tools, e.g. hammers, at home.", "Mr. Smith likes them a lot, i.e. very much."],
    ),
    "decimals": (
        "The value of pi is 3.14159 or so. Version 2.0.1 costs $4.50 at most today.",
        ["The value of pi is 3.14159 or so.", "Version 2.0.1 costs $4.50 at most today."],
    ),
    "Chinese": (
        "你好。今天天气很好！我们一起走吧？好的。",
        ["你好。今天天气很好！", "我们一起走吧？", "好的。"],
    ),
    "wide numbers": (
        "これはとても長い導入文ですから１，０００円です。とても長い値は３．１４です。朝は本当に早くて８：３０です。",
        [
            "これはとても長い導入文ですから１，０００円です。",
            "とても長い値は３．１４です。",
            "朝は本当に早くて８：３０です。",
        ],
    ),
    "Japanese": (
        "「今日は。」と彼は言いました。それから家に帰りました。",
        ["「今日は。」と彼は言いました。", "それから家に帰りました。"],
    ),
    "Thai": ("สวัสดีครับ วันนี้อากาศดีมาก เราไปเดินเล่นกันไหม", ["สวัสดีครับ วันนี้อากาศดีมาก เราไปเดินเล่นกันไหม"]),
    "Arabic": (
        "مرحبا بك في بيتنا الجديد. كيف حالك اليوم يا صديقي؟ أنا بخير.",
        ["مرحبا بك في بيتنا الجديد.", "كيف حالك اليوم يا صديقي؟", "أنا بخير."],
    ),
    "sources": (
        "It is in the north.[1][2] It is very large [3]. It may well be so.²",
        ["It is in the north.", "It is very large.", "It may well be so.²"],
    ),
    "brackets": (
        "Press [Enter] to go on with it. Or do you press [Esc] now?",
        ["Press [Enter] to go on with it.", "Or do you press [Esc] now?"],
    ),
    "emoji": (
        "That is great news! 🎉🎉 I am so happy for you 👩‍👩‍👧 and 🇩🇪 too! ❤️",
        ["That is great news!", "I am so happy for you and too!", ""],
    ),
    "lists": (
        "Buy this today:\n\n- Eggs from a shop\n- Two bottles of milk\n\n1. Go away\n2. Come home",
        ["Buy this today: Eggs from a shop", "Two bottles of milk", "1. Go away. 2. Come home"],
    ),
    "formulas": (
        "The solutions that we look for are $x_1, x_2 \\leq 4$, it seems. It costs $5.",
        ["The solutions that we look for are x 1, x 2 ≤ 4,", "it seems. It costs $5."],
    ),
    "comments": (
        "<!--\nThis is a note for us all. Never say it.\n-->\n\nThis is said.",
        ["", "This is said."],
    ),
    "calls": (
        'I look at your files.\n<tool name="a">\n<p n="b">Go. No, go.</p>\n</tool>\nThey are two.',
        ["I look at your files.", "They are two."],
    ),
    **{
        f"long calls, {begin}": (
            f"I look at your files.\n{begin}{'a word and a. Then ' * 48}{end}\nThey are two.",
            ["I look at your files.", "", "", "They are two."],
        )
        for begin, end in (
            ("<tool_call>\n", "\n</tool_call>"),
            ('<|open|>tools<|sep|><|open|>call tool="f"<|sep|>', "<|close|>tools<|sep|>"),
            ("<tool>\n", "\n</tool>"),
            ('<‖DSML‖invoke name="send">\n', "</‖DSML‖parameter>\n</‖DSML‖invoke>"),
            ('<details type="reasoning">\n', "\n</details>"),
            ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
            ('{"name": "f", "arguments": {"a": "', '"}}'),
            ('{"tool_calls": [{"a": "', '"}]}'),
        )
    },
    "calls in words": (
        'It is on.\nsay(text="Hello to all. How are you?", to="all")\n\nThat is done for you.',
        ["It is on.", "That is done for you."],
    ),
    "a word in a mark of a call": (
        "There are two:\n<tool>\nThe hammer is good. It is heavy.\n\nThat is all of them.",
        ["There are two: <tool> The hammer is good. It is heavy.", "That is all of them."],
    ),
    **{
        f"nothing but {reply[:9]}": (reply, [said])
        for reply, said in (
            *(
                (call, call)
                for call in ("get_name()", '{"name": "f", "args": {"a": "b"}}', "[sad]")
            ),
            *((f"```{text}\nIt is *so*.\n```\n", "It is so.") for text in ("text", "Markdown")),
            *((mark, "") for mark in ("<tool_call>a</tool_call>", "😀", "```\nx\n```")),
            *((mark, "") for mark in ("[TOOL_CALLS][{}]", "<‖DSML‖tool_calls")),
        )
    },
    "an image in its letters": (
        f"Look at data:image/png;base64,{'aB+/' * 150}== here. It is so.",
        ["Look at", "here.", "It is so."],
    ),
    "a call in the end": (
        "It is all on for you now.\n\nget_name()",
        ["It is all on for you now.", ""],
    ),
    "code in Markdown": (
        "I look at it:\n```md\n# It\n```py\n"
        + "x = call(1)  # A thing. It is so\n" * 26
        + "```\nMore of it. It is so.\n```\nAfter it.\n```py\nx\n```\nThat is it.",
        ["I look at it:", "", "After it.", "That is it."],
    ),
    "calls at a clause": (
        'I look:\n{"name": "the_weather_of_a_place", "args": {"a": "b. C"}}\nIt is so.',
        ["I look: It is so."],
    ),
    "calls in lines at a clause": (
        'I look:\n{\n  "action": "the_weather_of_a_place",\n  "args": {"a": "b. C"}\n}\nIt is so.',
        ["I look: It is so."],
    ),
    "JSON at a clause": (
        'I would write {"a": "a word", "b": "another", "c": "d"} in it. It is so, really.',
        ['I would write {"a": "a word", "b": "another", "c": "d"} in it.', "It is so, really."],
    ),
    "marks in code": (
        "It writes `<|python_tag|>` before the code. That is all of it. Bye.",
        ["It writes before the code.", "That is all of it. Bye."],
    ),
    "tags that are told of": (
        "The tags of a page:\n<script> runs code.\n<style> is for looks.\n\nThat is all of them.",
        ["The tags of a page: <script> runs code. <style> is for looks.", "That is all of them."],
    ),
    "numbers behind escaped breaks": (
        "Do it so:\\n1. Open it, all of it.\\n2. Then close it.",
        ["Do it so: 1. Open it, all of it. 2. Then close it."],
    ),
    "numbers": ("1. Go away at it.\n2. Then come home.", ["1. Go away at it. 2. Then come home."]),
    "code": (
        "Call `os.path.join(a, b)` like this:\n\n```python\nprint('no. No')\n```\n\nThat is all.",
        ["Call os.path.join(a, b) like this:", "", "That is all."],
    ),
    "tables": (
        "| Name | Age |\n|------|-----|\n| Rex | 5 |\n| Bello | 7 |\n\nThose are my two dogs.",
        ["Name, Age. Rex, 5. Bello, 7", "Those are my two dogs."],
    ),
    "tables that are cut": (
        "Here is it:\n\n| Name | Age |\n| :--- | ---: |\n| Ann | 30 |\n| bob | 41 |\n\nThat is it.",
        ["Here is it: Name, Age", "Ann, 30. bob, 41.", "That is it."],
    ),
    "sentences in tables": (
        "| Plan | What it is |\n|---|---|\n| Basic | It is cheap. |\n| Pro | It has it all. |",
        ["Plan, What it is. Basic, It is cheap.", "Pro, It has it all.", ""],
    ),
    "links": (
        "Read [the guide. It helps](https://example.com/a.b), or https://www.example.org/x?y. Bye!",
        ["Read the guide. It helps,", "or example.org.", "Bye!"],
    ),
    "titles of links": (
        'Read [the guide](https://example.com "It helps you a lot, so it does") today.',
        ["Read the guide today."],
    ),
    "quotes": (
        "> To be, or not to be.\n> That is the question.\n\nHe said “Stop it. Now.” and left us.",
        ["To be, or not to be.", "That is the question.", "He said “Stop it. Now.” and left us."],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_text_are_cut_and_said_as_a_reader_would(kind):
    """Each kind of text with what is heard."""
    reply, heard = KINDS[kind]
    segmenter = Segmenter()
    found = [segment for letter in reply for segment in segmenter.feed(letter)]
    found += segmenter.finish()
    assert [segment.speakable for segment in found] == heard
