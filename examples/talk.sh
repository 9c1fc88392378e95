#!/usr/bin/env bash
# Ask with a recording, print what was heard and said, and keep the speech:
#     examples/talk.sh examples/question.wav reply.mp3
# PARLEY_URL names the service, OPENAI_API_KEY the key; where the service needs none, leave it out.
set -euo pipefail
recording=$1 speech=$2
headers=$(mktemp) && trap 'rm -f "$headers"' EXIT

# The key goes through a file descriptor: a command's arguments can be read by everybody.
curl --silent --show-error --dump-header "$headers" --output "$speech" \
    --header "Accept: audio/mpeg" \
    --header @<(printf '%s' "${OPENAI_API_KEY:+X-OpenAI-API-Key: $OPENAI_API_KEY}") \
    --form "audio=@$recording" \
    "${PARLEY_URL:-http://localhost:8000}/api/conversation/"

# A failure without speech is JSON.
if ! grep -qi '^content-type: audio/' "$headers"; then
    cat "$speech" >&2
    rm "$speech"
    exit 1
fi
text() { # The text of a header, which is percent-encoded.
    local encoded
    encoded=$(sed -n "s/^$1: //Ip" "$headers" | tr -d '\r')
    printf '%b\n' "${encoded//%/\\x}"
}
echo "> $(text X-Transcript)"
text X-Text-Response
