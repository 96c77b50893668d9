// Bounds on what clients send, from outside; what each does exactly is shown in shared/http.
import { rawExchange, startApp } from "@outrigger/testing";
import { expect, onTestFinished as cleanup, test } from "vitest";

import { startSidecar } from "./sidecar.ts";

test("bodies beyond --max-body are refused and counted, and connections end after --max-requests", async () => {
  const app = await startApp((request, response) => request.pipe(response), { cleanup });
  const args = ["--max-body", "1k", "--max-requests", "2"];
  const sidecar = await startSidecar({ target: app.address, args, cleanup });
  const tls = { ca: sidecar.files.authority.pem, servername: "localhost" };
  const exchange = (send: string) => rawExchange({ port: sidecar.port, tls, send });
  const post = (size: number): string =>
    `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`;
  expect((await exchange(post(1001))).text).toContain("413 body_too_large");
  const { text } = await exchange(post(1000).repeat(3));
  expect(text.split("HTTP/1.1 200 OK").length - 1).toBe(2);
  const metrics = await sidecar.metrics();
  expect(metrics.value("tls_sidecar_requests_refused_total", { reason: "body_too_large" })).toBe(1);
  expect(metrics.value("tls_sidecar_buffered_bytes")).toBe(0);
});
