"""The engine's promises to a caller that speaks OpenAI's API, kept to OpenAI's own client."""

import io
import re
from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np
import openai
import pytest
from testing.word_errors import joined, word_error_rate

VOICES = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx"]
VOICES += ["sage", "shimmer", "verse"]
CAPITAL = "What is the capital of France?"
NOISE = np.random.default_rng(0).normal(0, 0.05, 48_000).clip(-1, 1)
NOBODY = {"silence": np.zeros(32_000), "noise": NOISE, "hum": 0.1 * np.sin(np.arange(48_000) / 25)}


def measured(audio):
    """The sample rate and the seconds of an audio file."""
    with av.open(io.BytesIO(audio)) as container:
        rate = container.streams.audio[0].rate
        return rate, sum(frame.samples for frame in container.decode(audio=0)) / rate


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Stop.", "aac"),
        ("Yes, please.", "opus"),
        (CAPITAL, "flac"),
        ("Where is the nearest station?", "wav"),
        ("Plants make food from sunlight, water and air. What do you eat for breakfast?", "mp3"),
    ],
)
def test_each_format_holds_the_whole_speech(say, hear, text, form):
    """The same seconds, and what was said, a single word too; opus knows no 24 kHz."""
    audio, seconds = say(text, form), len(say(text, "pcm")) / 2 / 24_000
    assert word_error_rate(text, hear(audio)) <= (0.2 if form == "mp3" else 0)
    rate, duration = measured(audio)
    assert rate == (48_000 if form == "opus" else 24_000)
    assert duration == pytest.approx(seconds, abs=0.15)


@pytest.mark.parametrize("sound", NOBODY)
def test_where_nobody_speaks_nothing_is_heard(hear, sound):
    assert hear(joined([(NOBODY[sound] * 32767).astype("<i2").tobytes()], "pcm")) == ""


def test_long_speech_is_heard_to_its_end(say, hear):
    text = (
        "The river runs past the old mill, and the children watch the boats go by. "
        "In the morning the farmers bring their apples to the market. "
        "My sister has worked in the hospital for eleven years. "
        "Every winter the lake freezes, and people walk across it to the island. "
        "The train to the city leaves at noon, and it is seldom late. "
        "He bought a blue coat because his old one was torn. "
        "Nobody knows who built the stone bridge behind the church. "
        "We drank tea in the garden until it began to rain. "
        "The teacher asked us to write a letter to our grandparents. "
        "At the end of the day all of the lamps were lit. "
    )
    audio = say(text)
    assert measured(audio)[1] > 35
    assert word_error_rate(text, hear(audio)) <= 0.2


def test_transcripts_come_as_text_and_in_full_in_the_language_that_is_hinted_at(
    client, models, say
):
    """`text` is bare text; `verbose_json` has the seconds and the segments."""
    audio = say(CAPITAL)
    asked = {"model": models["stt"], "file": ("a.mp3", audio), "temperature": 0}
    create = client.audio.transcriptions.create
    assert create(**asked, response_format="text", language="en") == f"{CAPITAL}\n"
    full = create(**asked, response_format="verbose_json", prompt="Geography.")
    assert (full.text, full.language) == (CAPITAL, "en")
    assert full.duration == pytest.approx(measured(audio)[1], abs=0.1)
    assert "".join(segment.text for segment in full.segments).strip() == full.text
    # A hint at the language is taken by both names that it has. English words for French speech
    # would be worse than an error.
    for field in ("language", "languages[]"):
        assert create(**asked, extra_body={field: "en"}).text == CAPITAL
        with pytest.raises(openai.BadRequestError) as refused:
            create(**asked, extra_body={field: "fr"})
        assert refused.value.param == "language"


def test_a_reply_is_short_plain_and_counted(ask, models):
    reply = ask(CAPITAL)
    assert "Paris" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == models["text"]
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


def test_what_is_told_first_and_earlier_turns_reach_the_model(ask):
    """It says something else then."""

    def said(*asked, **how):
        return ask(*asked, max_tokens=20, **how).choices[0].message.content

    for role in ("system", "developer"):
        told = "You are a French poet. Answer in French only."
        assert said("Hello.", told=told, role=role) != said("Hello.")
    turns = ("user", "My dog is called Rex."), ("assistant", "What a lovely dog!")
    earlier = [{"role": role, "content": content} for role, content in turns]
    assert "Rex" in said("What is my dog called?", *earlier)
    assert "Rex" not in said("What is my dog called?")


def test_a_reply_that_is_cut_says_so(ask):
    """The cap is 256 tokens unless the request has its own, and `finish_reason` is honest.

    It ends before its stop, which is one string or several.
    """
    for most, how in {256: {}, 3: {"max_tokens": 3}, 4: {"max_completion_tokens": 4}}.items():
        reply = ask("Write a very long story about a dragon.", **how)
        assert reply.choices[0].finish_reason == "length"
        assert reply.usage.completion_tokens == most
    for stop in (".", [".", "!"]):
        reply = ask(CAPITAL, stop=stop).choices[0].message.content
        assert reply
        assert "." not in reply


def test_speed_is_obeyed_and_each_of_the_upstream_voices_accepted(client, models, say):
    slow, fast = (len(say("Where is the nearest station?", "pcm", speed=s)) for s in (0.5, 2.0))
    assert 2 < slow / fast < 5
    for voice in VOICES:
        assert client.audio.speech.create(model=models["tts"], voice=voice, input="Stop.").content


def test_conversations_at_once_do_not_disturb_each_other(ask, say, hear):
    texts = [f"I have {number} apples. They are beside others." for number in range(20, 23)]
    alone = [say(text, "pcm") for text in texts]

    def conversation(text):
        heard, spoken = hear.__wrapped__(say(text)), say.__wrapped__(text, "pcm")
        return spoken, heard, ask(CAPITAL).choices[0].message.content

    with ThreadPoolExecutor() as pool:
        spoken, heard, replies = zip(*pool.map(conversation, texts), strict=True)
    assert [*spoken] == alone
    assert all(text[7:9] in each for text, each in zip(texts, heard, strict=True))
    assert all("Paris" in reply for reply in replies)


def test_each_request_is_one_line_without_what_was_said(ask, say, hear, engine_log):
    hear(say("A secret about pineapples."))
    ask("A secret about pineapples.")
    log = engine_log.read_text()
    assert re.search(r"^POST /v1/audio/speech 200 \d+ ms$", log, re.M)
    for private in ("pineapple", "sk-not-for-logs", "Traceback"):
        assert private not in log
