// Clients that go on asking until they are told to stop, and count what was lost: a request that was sent on an
// established connection and got no whole answer.
import { setImmediate as nextTurn } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { connect } from "node:tls";

import { clientOptions } from "./sidecar.ts";
import type { Sidecar } from "./sidecar.ts";

export type Load = {
  /** Requests answered so far. */
  answered(): number;
  /** Lets each client finish the request it has sent; gives how many were lost. */
  stop(): Promise<{ answered: number; lost: number }>;
  /** Resolves when no client can connect any more and all have ended. */
  readonly ended: Promise<void>;
};

const REQUEST = "GET /load HTTP/1.1\r\nHost: localhost\r\n\r\n";

/**
 * Starts clients that each keep a connection for `perConnection` requests, then make a new one. A client whose
 * connection is closed while it has no request outstanding connects again; one that cannot connect has ended.
 */
export function startLoad(sidecar: Sidecar, { clients = 8, perConnection = 20 } = {}): Load {
  let answered = 0;
  let lost = 0;
  const stopping = new AbortController();

  async function runClient(): Promise<void> {
    while (!stopping.signal.aborted) {
      const socket = await open();
      if (socket === undefined) return;
      for (let i = 0; i < perConnection && !stopping.signal.aborted; i++) {
        const outcome = await ask(socket);
        if (outcome === "answered" || outcome === "last") answered++;
        if (outcome === "lost") lost++;
        if (outcome !== "answered") break;
      }
      socket.destroy();
      await nextTurn();
    }
  }

  function open(): Promise<TLSSocket | undefined> {
    const socket = connect({ host: "127.0.0.1", port: sidecar.port, ...clientOptions(sidecar) });
    return new Promise((resolve) => {
      socket.once("secureConnect", () => resolve(socket));
      socket.on("error", () => resolve(undefined));
      socket.once("close", () => resolve(undefined));
    });
  }

  const running = Array.from({ length: clients }, runClient);
  const ended = Promise.all(running).then(() => undefined);
  return {
    answered: () => answered,
    stop: async () => {
      stopping.abort();
      await ended;
      return { answered, lost };
    },
    ended,
  };
}

/** `last` says that the server wants no more requests on this connection. */
function ask(socket: TLSSocket): Promise<"answered" | "last" | "lost" | "closed"> {
  if (socket.destroyed || !socket.writable) return Promise.resolve("closed");
  socket.write(REQUEST);
  let text = "";
  return new Promise((resolve) => {
    const settle = (outcome: "answered" | "last" | "lost"): void => {
      socket.off("data", onData).off("close", onClose);
      resolve(outcome);
    };
    const onData = (bytes: Buffer): void => {
      text += bytes.toString("latin1");
      if (!text.endsWith("hello")) return;
      settle(/\r\nConnection: close\r\n/i.test(text) ? "last" : "answered");
    };
    const onClose = (): void => settle("lost");
    socket.on("data", onData).on("close", onClose);
  });
}
