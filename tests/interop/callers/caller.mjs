// Send a recording as one of npm's clients does, and print what came back, with the status on
// standard error: node caller.mjs CLIENT URL ACCEPT FILE. A parser's events are written out again.

import { openAsBlob, createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";

const [client, url, accept, file] = process.argv.slice(2);
const headers = { Accept: accept, "X-OpenAI-API-Key": process.env.KEY };

async function form(FormData = globalThis.FormData) {
  const data = new FormData();
  if (file) data.append("audio", await openAsBlob(file), "question.wav");
  data.append("voice", "nova");
  return data;
}

function told(status, body) {
  process.stderr.write(`${status}\n`);
  process.stdout.write(body);
}

function write({ event, data }) {
  process.stdout.write(`event: ${event}\ndata: ${data}\n\n`);
}

async function sendByAxios(read) {
  const { default: axios } = await import("axios");
  const { default: FormData } = await import("form-data");
  const data = new FormData();
  if (file) data.append("audio", await read(file), "question.wav");
  data.append("voice", "nova");
  const options = { headers, responseType: "arraybuffer", validateStatus: () => true };
  const answer = await axios.post(url, data, options);
  told(answer.status, answer.data);
}

const clients = {
  async fetch() {
    const answer = await fetch(url, { method: "POST", headers, body: await form() });
    told(answer.status, Buffer.from(await answer.arrayBuffer()));
  },

  async undici() {
    const { FormData, fetch } = await import("undici");
    const answer = await fetch(url, { method: "POST", headers, body: await form(FormData) });
    told(answer.status, Buffer.from(await answer.arrayBuffer()));
  },

  async got() {
    const { default: got } = await import("got");
    const options = { headers, body: await form(), throwHttpErrors: false, responseType: "buffer" };
    const answer = await got.post(url, options);
    told(answer.statusCode, answer.body);
  },

  async axios() {
    await sendByAxios(createReadStream); // Its length is not known: it is chunked.
  },

  async "axios with a buffer"() {
    await sendByAxios(readFile);
  },

  async "eventsource-parser"() {
    const { EventSourceParserStream } = await import("eventsource-parser/stream");
    const answer = await fetch(url, { method: "POST", headers, body: await form() });
    if (!answer.headers.get("Content-Type").startsWith("text/event-stream")) {
      return told(answer.status, await answer.text());
    }
    told(answer.status, "");
    const text = answer.body.pipeThrough(new TextDecoderStream());
    for await (const event of text.pipeThrough(new EventSourceParserStream())) write(event);
  },

  async "fetch-event-source"() {
    // It is written for browsers, and asks the page whether it is seen.
    globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
    globalThis.window = globalThis;
    const { fetchEventSource } = await import("@microsoft/fetch-event-source");
    await fetchEventSource(url, {
      method: "POST",
      headers,
      body: await form(),
      async onopen(answer) {
        const isStream = answer.headers.get("Content-Type").startsWith("text/event-stream");
        told(answer.status, isStream ? "" : await answer.text());
        if (!isStream) process.exit();
      },
      onmessage: write,
      onclose: () => process.exit(), // Or else it would connect again.
      onerror: (error) => {
        throw error;
      },
    });
  },
};

await clients[client]();
