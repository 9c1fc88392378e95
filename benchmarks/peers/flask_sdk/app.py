"""The chain as a Flask tutorial has it: OpenAI's official SDK, a client for each request."""

import base64

import openai
from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/api/conversation/")
def converse():
    """Transcribe, reply, speak."""
    client = openai.OpenAI(api_key=request.headers["X-OpenAI-API-Key"])
    audio = request.files["audio"]
    heard = client.audio.transcriptions.create(
        model="whisper-1", file=("audio.wav", audio.stream, "audio/wav")
    )
    message = {"role": "user", "content": heard.text}
    reply = client.chat.completions.create(model="gpt-4o", messages=[message])
    text = reply.choices[0].message.content
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input=text)
    return jsonify(
        transcript=heard.text,
        text_response=text,
        audio=base64.b64encode(speech.content).decode(),
    )
