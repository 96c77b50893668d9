// What tests, the demo and the benchmark share: certificates, upstream applications, containers as processes, waiting.
// Nothing here needs a test runner.
export { createCertificateAuthority } from "./certificates.ts";
export type { CertificateAuthority, IssuedCertificate, KeyType, LeafRequest } from "./certificates.ts";
export type { LogRecord } from "./child-output.ts";
export type { Exit } from "./child-process.ts";
export { tempDir } from "./cleanup.ts";
export type { Cleanup } from "./cleanup.ts";
export { runContainer, spawnContainer } from "./container.ts";
export type { Container, ContainerExit, ContainerOptions, ContainerSource, WaitOptions } from "./container.ts";
export type { Listening, ListenOptions } from "./listening.ts";
export { parseMetrics } from "./metrics.ts";
export type { Metrics, Sample } from "./metrics.ts";
export { findProgram, repository, requirePrograms, runtimePath } from "./programs.ts";
export type { RequiredPrograms } from "./programs.ts";
export { rawExchange } from "./raw-exchange.ts";
export type { Chunk, RawExchange, Received } from "./raw-exchange.ts";
export { request } from "./request.ts";
export type { Answer, RequestInit } from "./request.ts";
export { freePort, startProgram } from "./servers.ts";
export type { Program } from "./servers.ts";
export { startApp, startEchoServer, startRawServer } from "./upstreams.ts";
export type { App } from "./upstreams.ts";
export { until } from "./until.ts";
