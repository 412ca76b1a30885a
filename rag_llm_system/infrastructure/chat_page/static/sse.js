// Server-Sent Events of a response's body; EventSource cannot be used, as it only sends GET.

export class Silence extends Error {}

/** Yields {type, data} with data as text. Throws Silence when nothing, not even a keep-alive, came for idleMs. */
export async function* events(body, { idleMs = 90_000 } = {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let type = "";
  let data = [];
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), idleMs);
      if (done) return;
      const text = rest + value;
      // a carriage return at the end may be the first half of a line end
      const held = text.endsWith("\r") ? 1 : 0;
      const lines = text.slice(0, text.length - held).split(/\r\n|\n|\r/);
      rest = lines.pop() + text.slice(text.length - held);
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield { type: type || "message", data: data.join("\n") };
          type = "";
          data = [];
        } else if (!line.startsWith(":")) {
          const [, field, content] = /^([^:]*)(?:: ?)?([^]*)$/.exec(line);
          if (field === "event") type = content;
          if (field === "data") data.push(content);
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // the connection is over already when this fails
  }
}

async function within(promise, milliseconds) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Silence()), milliseconds);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}
