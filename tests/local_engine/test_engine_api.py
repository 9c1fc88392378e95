"""The engine's promises to a caller that speaks OpenAI's API, kept to OpenAI's own client."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import av
import numpy as np
import openai
import pytest
from testing.word_errors import joined, word_error_rate

VOICES = ["alloy", "ash", "ballad", "cedar", "coral", "echo", "fable", "marin", "nova", "onyx"]
VOICES += ["sage", "shimmer", "verse"]


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
        ("What is the capital of France?", "flac"),
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


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(32_000), id="silence"),
        pytest.param(np.random.default_rng(0).normal(0, 0.05, 48_000).clip(-1, 1), id="noise"),
        pytest.param(0.1 * np.sin(np.arange(48_000) * 0.04), id="hum"),
    ],
)
def test_where_nobody_speaks_nothing_is_heard(hear, samples):
    """The engine does not invent words."""
    assert hear(joined([(samples * 32767).astype("<i2").tobytes()], "pcm")) == ""


def test_long_speech_is_heard_to_its_end(say, hear):
    """Speech that is longer than what Whisper hears at once loses nothing."""
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


def test_transcripts_come_as_text_and_in_full(client, models, say):
    """`text` is bare text; `verbose_json` has the seconds and the segments."""
    audio, model = say("What is the capital of France?"), models["stt"]
    text = client.audio.transcriptions.create(
        model=model, file=("a.mp3", audio), response_format="text", language="en", temperature=0
    )
    full = client.audio.transcriptions.create(
        model=model, file=("a.mp3", audio), response_format="verbose_json", prompt="Geography."
    )
    assert text == "What is the capital of France?\n"
    assert full.text == text.strip()
    assert full.language == "en"
    assert full.duration == pytest.approx(measured(audio)[1], abs=0.1)
    assert "".join(segment.text for segment in full.segments).strip() == full.text


@pytest.mark.parametrize("field", ["language", "languages[]"])
def test_a_hint_at_the_language_is_taken(client, models, say, field):
    """By both names that it has; English words for French speech would be worse than an error."""
    audio = ("a.mp3", say("What is the capital of France?"))
    hint = partial(client.audio.transcriptions.create, model=models["stt"], file=audio)
    assert hint(extra_body={field: "en"}).text == "What is the capital of France?"
    with pytest.raises(openai.BadRequestError) as refused:
        hint(extra_body={field: "fr"})
    assert refused.value.param == "language"


def test_a_reply_is_short_plain_and_counted(ask, models):
    """A reply names its model, says why it stopped, and counts its tokens."""
    reply = ask("What is the capital of France?")
    assert "Paris" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.model == models["text"]
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_is_honoured(client, models, role):
    """What the model is told first changes what it says."""
    hello = {"role": "user", "content": "Hello."}
    told = {"role": role, "content": "You are a French poet. Answer in French only."}
    replies = [
        client.chat.completions.create(model=models["text"], messages=messages)
        for messages in ([hello], [told, hello])
    ]
    assert replies[0].choices[0].message.content != replies[1].choices[0].message.content


def test_a_reply_that_is_cut_says_so(ask):
    """The cap is 256 tokens unless the request has its own, and `finish_reason` is honest."""
    caps = {256: {}, 3: {"max_tokens": 3}, 4: {"max_completion_tokens": 4}}
    story = partial(ask, "Write a very long story about a dragon.")
    with ThreadPoolExecutor() as pool:  # Together they take little more time than one.
        replies = {most: pool.submit(story, **options) for most, options in caps.items()}
    for most, reply in replies.items():
        assert reply.result().choices[0].finish_reason == "length"
        assert reply.result().usage.completion_tokens == most


@pytest.mark.parametrize("stop", [".", [".", "!"]])
def test_a_reply_ends_before_its_stop(ask, stop):
    """`stop` is one string or several."""
    reply = ask("What is the capital of France?", stop=stop)
    assert reply.choices[0].message.content
    assert "." not in reply.choices[0].message.content


def test_speed_is_obeyed(say):
    """Twice the speed is about half the time."""
    slow, fast = (len(say("Where is the nearest station?", "pcm", speed=s)) for s in (0.5, 2.0))
    assert 2 < slow / fast < 5


@pytest.mark.parametrize("voice", VOICES)
def test_each_of_the_upstream_voices_is_accepted(client, models, voice):
    """A caller's choice of voice never fails here, though all sound the same."""
    speech = client.audio.speech.create(model=models["tts"], voice=voice, input="Hello.")
    assert speech.content


def test_each_model_that_is_listed_can_be_retrieved(client, models):
    """Three models, by their true names."""
    assert len(models) == 3
    assert [client.models.retrieve(name).id for name in models.values()] == [*models.values()]


def test_many_conversations_at_once_are_all_answered(ask, say, hear):
    """Each of four callers gets their own answers, none another's."""

    def conversation(number):
        heard = hear(say(f"I have {number} apples."))
        reply = ask(heard).choices[0].message.content
        return str(number) in heard and len(say(reply)) > 1000

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(conversation, range(20, 24)))


def test_each_request_is_one_line_without_what_was_said(ask, say, hear, engine_log):
    """The log tells method, path, status and milliseconds: no key, no word."""
    say("A secret about pineapples.")
    hear(say("A secret about pineapples."))
    ask("A secret about pineapples.")
    log = engine_log.read_text()
    assert re.search(r"^POST /v1/audio/speech 200 \d+ ms$", log, re.M)
    assert "pineapple" not in log
    assert "sk-not-for-logs" not in log
    assert "Traceback" not in log
