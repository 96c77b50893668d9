// What the conformance tests need to start this container: parameters with which it becomes ready.

/** Flags with which the container starts and becomes ready. Whether an application answers is what its page tells. */
export async function fixture(): Promise<{ args: string[] }> {
  return { args: ["--listen", "127.0.0.1:0", "--probe-targets", "127.0.0.1:*"] };
}
