// Which runtime this is.

/** `node 26.10.0` or `bun 1.4.5`. */
export function runtimeName(): string {
  const bun = process.versions["bun"];
  return bun === undefined ? `node ${process.versions.node}` : `bun ${bun}`;
}
