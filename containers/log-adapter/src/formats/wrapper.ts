// What container runtimes put around each line of an application: Docker's json-file, and CRI as containerd writes it.

export type Wrapped = {
  readonly text: string;
  /** `stdout` or `stderr`. */
  readonly iostream: string;
  readonly timeText: string;
  /** Whether the line goes on in the next one. */
  readonly isPartial: boolean;
};

const CRI =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::[^ ]{0,40})? ?/;

/** The line within, or nothing where it is not wrapped. */
export function unwrap(line: string): Wrapped | undefined {
  const code = line.charCodeAt(0);
  if (code === 50) return unwrapCri(line);
  return code === 123 && line.startsWith('{"log":"') && line.includes('"time":"', line.length - 60)
    ? unwrapDocker(line)
    : undefined;
}

function unwrapCri(line: string): Wrapped | undefined {
  const match = CRI.exec(line);
  if (match === null) return undefined;
  const [head, timeText, iostream, mark] = match as unknown as [string, string, string, string];
  return { text: line.slice(head.length), iostream, timeText, isPartial: mark === "P" };
}

function unwrapDocker(line: string): Wrapped | undefined {
  try {
    const { log, stream, time } = JSON.parse(line) as Record<string, unknown>;
    if (typeof log !== "string" || typeof time !== "string") return undefined;
    const iostream = stream === "stderr" ? "stderr" : "stdout";
    return { text: log.replace(/\r?\n$/, ""), iostream, timeText: time, isPartial: !log.endsWith("\n") };
  } catch {
    return undefined;
  }
}
