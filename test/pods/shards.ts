// Redis servers in a network, which find each other by name as the pods of a StatefulSet do.
import type { Cleanup } from "@outrigger/testing";

import { podman, tryPodman } from "./podman.ts";

let count = 0;

/** Starts one for each host name; gives the network's name. The container of a host is called `<network>-<host>`. */
export async function startShards(hosts: readonly string[], cleanup: Cleanup): Promise<string> {
  const network = `outrigger-shards-${process.pid}-${++count}`;
  await podman("network", "create", network);
  cleanup(async () => void (await tryPodman("network", "rm", "--force", network)));
  for (const host of hosts) {
    const name = `${network}-${host}`;
    cleanup(async () => void (await tryPodman("rm", "--force", "--time", "0", name)));
    await podman("run", "--detach", "--network", network, "--network-alias", host, "--name", name, "redis:7");
  }
  return network;
}
