// All data planes of the sidecar: one on this thread, and one on each further thread of --workers.
import { availableParallelism } from "node:os";

import type { Address } from "@outrigger/options";
import type { Context } from "@outrigger/runtime";

import { createDataPlane } from "./data-plane.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Material } from "./material.ts";
import type { metrics } from "./metrics.ts";
import { options } from "./options.ts";
import type { Values } from "./policy.ts";
import { startDataPlaneThread } from "./thread.ts";

export type DataPlanes = DataPlane;

export function createDataPlanes(context: Context<typeof options, typeof metrics>, material: Material): DataPlanes {
  const { log, metrics, record, heartbeat } = context;
  const values = ownValuesOf(context.options);
  const count = values.workers === "auto" ? availableParallelism() : values.workers;
  const shared = count > 1;
  const first = createDataPlane({
    values,
    material,
    metrics,
    log,
    record,
    shared,
    beat: heartbeat("deadlines", 100),
  });
  const others = Array.from({ length: count - 1 }, (_, index) =>
    startDataPlaneThread(context, `worker ${index + 2}`, { values, material }),
  );
  const all: readonly DataPlane[] = [first, ...others];
  return {
    listen: async (address: Address) => {
      // The first binds, perhaps to a port of the system's choice; the others share it.
      const bound = await first.listen(address);
      await Promise.all(others.map((plane) => plane.listen(bound)));
      return bound;
    },
    update: (next, nextValues) => {
      for (const plane of all) plane.update(next, ownValuesOf(nextValues));
    },
    setTicketKey: (key) => {
      for (const plane of all) plane.setTicketKey(key);
    },
    discourage: () => {
      for (const plane of all) plane.discourage();
    },
    drain: async () => void (await Promise.all(all.map((plane) => plane.drain()))),
    close: async () => void (await Promise.all(all.map((plane) => plane.close()))),
  };
}

/** The sidecar's own options, without those of the runtime: plain data that a thread can be sent. */
const ownValuesOf = (values: Values): Values =>
  Object.fromEntries(Object.keys(options).map((option) => [option, values[option as keyof Values]])) as Values;
