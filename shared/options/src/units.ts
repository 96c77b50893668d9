// Text to numbers and back: durations, sizes, integers, ratios, booleans. Each parser returns undefined for text that is
// not of its form, so that the caller can say what it expected.

const DURATION_UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  k: 1000,
  kB: 1000,
  K: 1024,
  KiB: 1024,
  M: 1_000_000,
  MB: 1_000_000,
  MiB: 1024 ** 2,
  G: 1_000_000_000,
  GB: 1_000_000_000,
  GiB: 1024 ** 3,
};
/** Timers take 32 bits of milliseconds: about 24.8 days. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

function scaled(text: string, units: Readonly<Record<string, number>>, bareUnit: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text.trim());
  if (match === null) return undefined;
  const unit = match[2] === "" ? bareUnit : Object.hasOwn(units, match[2]!) ? units[match[2]!] : undefined;
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit);
}

/** `500ms`, `10s`, `5m`, `1h`, `2d`, or bare seconds; gives milliseconds, at most `maxMs`. */
export function parseDuration(text: string, maxMs = MAX_TIMER_MS): number | undefined {
  const value = scaled(text, DURATION_UNITS, 1000);
  return value !== undefined && value <= maxMs ? value : undefined;
}

export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return "0s";
  for (const unit of ["d", "h", "m", "s"] as const) {
    const size = DURATION_UNITS[unit]!;
    if (milliseconds % size === 0) return `${milliseconds / size}${unit}`;
  }
  return `${milliseconds}ms`;
}

/** `16KiB`, `10MiB`, `500k` (k and M are powers of ten, KiB and MiB of two), or bare bytes. */
export function parseBytes(text: string): number | undefined {
  const value = scaled(text, BYTE_UNITS, 1);
  return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
}

export function formatBytes(count: number): string {
  if (count === 0) return "0";
  for (const unit of ["GiB", "MiB", "KiB"] as const) {
    const size = BYTE_UNITS[unit]!;
    if (count % size === 0) return `${count / size}${unit}`;
  }
  return String(count);
}

export function parseInteger(text: string, min: number, max: number): number | undefined {
  if (!/^-?\d{1,16}$/.test(text.trim())) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

/** `0.25`, `25%` or `2.5e-7`. */
export function parseRatio(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?(?:e-?\d{1,3})?)(%?)$/.exec(text.trim());
  if (match === null) return undefined;
  const value = Number(match[1]) / (match[2] === "%" ? 100 : 1);
  return value <= 1 ? value : undefined;
}

export function parseBoolean(text: string): boolean | undefined {
  if (/^(true|yes|on|1)$/i.test(text.trim())) return true;
  if (/^(false|no|off|0)$/i.test(text.trim())) return false;
  return undefined;
}
