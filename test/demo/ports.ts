// Ports of loopback: whether the one that everybody expects is free.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";

async function canListen(host: string, port: number): Promise<boolean> {
  const server = createServer().listen({ host, port });
  try {
    await once(server, "listening");
    return true;
  } catch (error) {
    // A machine without IPv6 has no ::1 that could be taken.
    return ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "");
  } finally {
    server.close();
  }
}

/** Whether nobody listens on the port: on ::1 neither, where `localhost` may lead as well. */
export async function isFree(port: number): Promise<boolean> {
  return (await canListen("127.0.0.1", port)) && (await canListen("::1", port));
}

/** A port that is free now, for programs that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
