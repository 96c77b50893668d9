// Records over a TCP connection, which is made anew when it has ended. The protocol has no answer: what the system has taken
// is taken.
import { connect } from "node:net";
import type { Socket } from "node:net";

import type { Transport } from "./transport.ts";

export function createSocketTransport({ hostname, port }: URL, timeoutMs: number): Transport {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  let socket: Socket | undefined;
  return {
    send: async (text) => {
      socket ??= await open();
      await write(socket, text);
      return 0;
    },
    close: async () => void socket?.end().unref(),
  };

  function open(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const opened = connect({ host, port: Number(port), noDelay: true, timeout: timeoutMs });
      const fail = (error: Error): void => {
        opened.destroy();
        socket = undefined;
        reject(error);
      };
      opened.once("error", fail);
      opened.once("timeout", () => fail(new Error(`no connection within ${timeoutMs} ms`)));
      opened.once("connect", () => {
        opened.setTimeout(0);
        // Nothing is expected from there but its end.
        opened.resume();
        opened.once("close", () => (socket = undefined));
        resolve(opened);
      });
    });
  }

  function write(to: Socket, text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error("the connection was closed"));
      to.once("close", ended);
      to.write(text, (error) => {
        to.off("close", ended);
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
