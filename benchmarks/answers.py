"""What is wrong with an answer, in each of its forms, so that no figure counts a wrong one."""

import base64
import io
import json
import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

import av

import dialogue
import spoken_dialogue
from dialogue import Recording

PLAIN: Mapping[str, str] = MappingProxyType({})
REALTIME = MappingProxyType({"tts_model": "gpt-realtime-2.1-mini"})
"""The fields of a request without options, and of one whose reply the Realtime API speaks."""

PCM_RATE = 48_000
"""Bytes of PCM in a second."""


class Kind(Enum):
    """How an answer comes: as events, as sound alone, or whole; and the header that asks for it."""

    EVENTS = "text/event-stream"
    SOUND = "audio/*"
    JSON = "application/json"


def problem(
    kind: Kind, status: int, body: bytes, recording: Recording, fields: Mapping[str, str]
) -> str:
    """What is wrong with the answer to a recording and its form's fields, or nothing."""
    if status != 200:
        codes = re.findall(rb'"code": *"(\w+)"', body)
        return b" ".join([b"%d" % status, *codes]).decode()
    audio_format, reply = fields.get("audio_format", "mp3"), dialogue.reply(recording.transcript)
    match kind:
        case Kind.EVENTS:
            return _problem_of_events(body, recording.transcript, reply, audio_format)
        case Kind.SOUND if recording.wanted:
            is_right = body == dialogue.speech(reply)
        case Kind.SOUND:
            is_right = spoken_dialogue.is_speech_of(body, reply, audio_format)
        case Kind.JSON:
            answer = json.loads(body)
            if answer["transcript"] != recording.transcript:
                return "another's transcript"
            if answer["text_response"] != reply:
                return "another's reply"
            audio = base64.b64decode(answer["audio"])
            if "tts_model" in fields:  # It was encoded here, and has the length of what was said.
                spoken = av.open(io.BytesIO(audio)).duration / av.time_base
                return "" if abs(spoken - recording.wanted / PCM_RATE) < 0.5 else "speech cut"
            is_right = audio == dialogue.speech(reply, audio_format)
    return "" if is_right else "another's speech"


def _problem_of_events(body: bytes, transcript: str, reply: str, audio_format: str) -> str:
    text, parts, sound, done = "", [], [], None
    for frame in body.split(b"\n\n"):
        name, _, data = frame.partition(b"\ndata: ")
        match name:
            case b"event: text":
                text += json.loads(data)["delta"]
            case b"event: segment":
                parts.append(json.loads(data)["text"])
                sound.append(b"")
            case b"event: audio":
                sound[-1] += base64.b64decode(json.loads(data)["data"])
            case b"event: error":
                return json.loads(data)["code"]
            case b"event: done":
                done = json.loads(data)
    if not done:
        return "no end"
    if not done["success"] or done["transcript"] != transcript:
        return "another's transcript"
    if not text == "".join(parts) == reply:
        return "another's reply"
    is_right = [dialogue.speech(part.strip(), audio_format) for part in parts] == sound
    return "" if is_right else "another's speech"
