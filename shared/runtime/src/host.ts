// What a container may do to the machine around it, for those whose subject that is: others take all from the context.

export type Host = {
  /** The environment; the container's own options are not read from here. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user id of this process; -1 where the system has none. */
  readonly userId: number;
  /** Its process id. */
  readonly processId: number;
  /** Sends a signal to a process; throws the system's error, with its `code` (ESRCH, EPERM). */
  signal(pid: number, name: NodeJS.Signals): void;
};

export const host: Host = {
  environment: process.env,
  userId: process.getuid?.() ?? -1,
  processId: process.pid,
  signal: (pid, name) => void process.kill(pid, name),
};
