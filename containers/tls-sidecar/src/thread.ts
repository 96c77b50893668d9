// A data plane on a thread of its own, driven by messages: each command is answered when it has been done.
import type { Address } from "@outrigger/options";
import type { Context, ThreadContext } from "@outrigger/runtime";

import { createDataPlane } from "./data-plane.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Material } from "./material.ts";
import type { metrics } from "./metrics.ts";
import type { options } from "./options.ts";
import type { Values } from "./policy.ts";

type Command =
  | { readonly do: "listen"; readonly address: Address }
  | { readonly do: "update"; readonly material: Material; readonly values: Values }
  | { readonly do: "setTicketKey"; readonly key: Uint8Array }
  | { readonly do: "ping" | "discourage" | "drain" | "close" };
type Request = { readonly id: number; readonly command: Command };
type Answer = { readonly id: number; readonly result?: Address | undefined; readonly error?: string };
type Data = { readonly values: Values; readonly material: Material };

const PING_MS = 1000;

/** Starts a thread and gives its data plane, which works as one on this thread does. `name` is for liveness. */
export function startDataPlaneThread(
  context: Context<typeof options, typeof metrics>,
  name: string,
  data: Data,
): DataPlane {
  const thread = context.startThread(data);
  const waiting = new Map<number, PromiseWithResolvers<Address | undefined>>();
  let lastId = 0;
  thread.onMessage((message) => {
    const { id, result, error } = message as Answer;
    const answer = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) answer?.resolve(result);
    else answer?.reject(new Error(error));
  });
  const ask = (command: Command): Promise<Address | undefined> => {
    const answer = Promise.withResolvers<Address | undefined>();
    waiting.set(++lastId, answer);
    thread.post({ id: lastId, command } satisfies Request);
    return answer.promise;
  };
  // A thread that does not answer has stalled; this one would not notice otherwise.
  const beat = context.heartbeat(name, PING_MS);
  const pinging = setInterval(() => void ask({ do: "ping" }).then(beat), PING_MS).unref();
  return {
    listen: async (address) => (await ask({ do: "listen", address }))!,
    update: (material, values) => void ask({ do: "update", material, values }),
    setTicketKey: (key) => void ask({ do: "setTicketKey", key }),
    discourage: () => void ask({ do: "discourage" }),
    drain: async () => void (await ask({ do: "drain" })),
    close: async () => {
      clearInterval(pinging);
      await ask({ do: "close" });
      await thread.terminate();
    },
  };
}

/** The thread's side. */
export function runDataPlaneThread({ data, port, log, record, metrics: cells }: ThreadContext<typeof metrics>): void {
  const { values, material } = data as Data;
  const plane = createDataPlane({ values, material, metrics: cells, log, record, shared: true });
  port.on("message", (message: Request) => {
    void carryOut(plane, message.command).then(
      (result) => port.postMessage({ id: message.id, result } satisfies Answer),
      (error: Error) => port.postMessage({ id: message.id, error: error.message } satisfies Answer),
    );
  });
}

async function carryOut(plane: DataPlane, command: Command): Promise<Address | undefined> {
  switch (command.do) {
    case "listen":
      return plane.listen(command.address);
    case "update":
      plane.update(command.material, command.values);
      return undefined;
    case "setTicketKey":
      plane.setTicketKey(command.key);
      return undefined;
    case "ping":
      return undefined;
    case "discourage":
      plane.discourage();
      return undefined;
    case "drain":
      await plane.drain();
      return undefined;
    case "close":
      await plane.close();
      return undefined;
  }
}
