// Binds a server to the address that an option names.
import type { Server } from "node:net";

import { formatAddress } from "@outrigger/options";
import type { Address } from "@outrigger/options";

/** Resolves with the address as bound; rejects, naming the flag, when it is taken. `shared`: other threads bind it, too. */
export function listen(
  server: Server,
  address: Address,
  { flag, shared }: { flag: string; shared: boolean },
): Promise<Address> {
  const { promise, resolve, reject } = Promise.withResolvers<Address>();
  const onError = (error: NodeJS.ErrnoException): void => {
    const written = formatAddress(address);
    reject(new Error(`${flag}: expected a free address, got ${written} (${error.code ?? error.message})`));
  };
  server.once("error", onError);
  server.listen("path" in address ? address : { ...address, reusePort: shared }, () => {
    server.off("error", onError);
    const bound = server.address();
    resolve(typeof bound === "object" && bound !== null ? { host: bound.address, port: bound.port } : address);
  });
  return promise;
}
