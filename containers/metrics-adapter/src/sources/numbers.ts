// Numbers as applications write them.

/** A decimal number, or undefined for anything else, an empty text included. */
export function decimalIn(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(trimmed) ? Number(trimmed) : undefined;
}
