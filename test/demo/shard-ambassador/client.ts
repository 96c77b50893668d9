// A client of Redis for the demo's checks: a new connection for each batch, and the replies as they stand on the wire.
import { once } from "node:events";
import { connect } from "node:net";

import { reply } from "../../../containers/shard-ambassador/src/redis/replies.ts";
import { ReplyParser } from "../../../containers/shard-ambassador/src/redis/reply-parser.ts";

const TIMEOUT_MS = 5000;
const MAX_REPLY = 1024 * 1024;

/** Sends the commands at once; gives a reply for each, in their order. */
export async function ask(port: number, commands: readonly (readonly string[])[]): Promise<string[]> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, timeout: TIMEOUT_MS });
  socket.once("timeout", () => socket.destroy(new Error(`no reply within ${TIMEOUT_MS} ms`)));
  const parser = new ReplyParser(MAX_REPLY);
  const replies: string[] = [];
  const all = Promise.withResolvers<string[]>();
  let begun = "";
  socket.once("error", all.reject).once("close", () => all.reject(new Error("the connection was closed")));
  socket.on("data", (chunk: Buffer) => {
    for (let at = 0; at < chunk.length;) {
      const from = at;
      at = parser.read(chunk, at);
      begun += chunk.toString("latin1", from, at);
      if (!parser.complete) continue;
      replies.push(begun);
      begun = "";
    }
    if (replies.length === commands.length) all.resolve(replies);
  });
  try {
    await Promise.race([once(socket, "connect"), all.promise]);
    socket.write(Buffer.concat(commands.map((command) => reply(command))));
    return await all.promise;
  } finally {
    socket.destroy();
  }
}
