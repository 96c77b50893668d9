// Ports of loopback: whether the one that everybody expects is free.
import { once } from "node:events";
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
