import * as z from "@outrigger/options/zod";
// What must not leave the pod is taken out of bodies and attributes: tokens and passwords, e-mail addresses, numbers of
// payment cards, and whatever the user's own expressions fit.
import { compilePattern } from "@outrigger/patterns";

import type { Reading } from "../reading.ts";

export const REDACTIONS = ["tokens", "emails", "cards"] as const;
export type RedactionName = (typeof REDACTIONS)[number];

export const ownRedaction = z.strictObject({
  regexp: z.string().min(1).describe("What is replaced."),
  replacement: z.string().optional().describe("What stands there instead; [redacted] by default."),
});
export type OwnRedaction = z.infer<typeof ownRedaction>;

type Redact = (text: string) => string;

const REDACTED = "[redacted]";
const EMAIL = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g;
const CARD = /(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]\d|\d)/g;
/** Forms by which tokens are known wherever they stand. */
const TOKENS =
  /\beyJ[\w-]{8,2048}\.[\w-]{8,4096}\.[\w-]{8,2048}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,255}|\bxox[abprs]-[\w-]{10,255}|\bsk_(?:live|test)_\w{16,128}|\bglpat-[\w-]{16,64}/g;
const SCHEMES = /\b(Bearer|Basic) {1,4}[\w+/.~=-]{8,4096}/g;
const NAMES = "passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key|authorization|credentials?";
const ASSIGNED = new RegExp(
  `((?:${NAMES})[\\w.-]{0,32}["']?\\s{0,4}[=:]\\s{0,4}["']?)(?!\\[redacted)([^\\s"',;&}\\])]{1,4096})`,
  "gi",
);
const SECRET_NAME = new RegExp(`(?:${NAMES})`, "i");

/** The check digit of card numbers (ISO/IEC 7812-1, annex B). */
export function isCardNumber(text: string): boolean {
  const digits = text.replaceAll(/\D/g, "");
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = digit * 2;
    sum += i % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length >= 13 && sum % 10 === 0 && !/^(\d)\1+$/.test(digits);
}

const BUILT_IN: Readonly<Record<RedactionName, Redact>> = {
  tokens: (text) =>
    text
      .replace(TOKENS, REDACTED)
      .replace(SCHEMES, `$1 ${REDACTED}`)
      .replace(ASSIGNED, (found, name: string, value: string) =>
        value === "Bearer" || value === "Basic" ? found : `${name}${REDACTED}`,
      ),
  emails: (text) => (text.includes("@") ? text.replace(EMAIL, REDACTED) : text),
  cards: (text) => text.replace(CARD, (found) => (isCardNumber(found) ? REDACTED : found)),
};

/** Takes out of a record what the rules name. Throws a PatternError for an expression that cannot be used. */
export function createRedaction(
  names: readonly RedactionName[],
  own: readonly OwnRedaction[],
): (reading: Reading) => void {
  const rules = [
    ...names.map((name) => BUILT_IN[name]),
    ...own.map(({ regexp, replacement = REDACTED }): Redact => {
      const pattern = compilePattern(regexp);
      return (text) => pattern.replaceAll(text, () => replacement);
    }),
  ];
  if (rules.length === 0) return () => undefined;
  const hidesNames = names.includes("tokens");
  const redact: Redact = (text) => rules.reduce((result, rule) => rule(result), text);
  return (reading) => {
    reading.body = redact(reading.body);
    const { attributes } = reading;
    for (let i = 0; i < attributes.length; i += 2) {
      const isSecret = hidesNames && typeof attributes[i + 1] === "string" && SECRET_NAME.test(attributes[i] as string);
      attributes[i + 1] = isSecret ? REDACTED : redactValue(attributes[i + 1], redact);
    }
  };
}

function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === "string") return redact(value);
  // A number may be that of a card.
  if (typeof value === "number") return redact(String(value)) === String(value) ? value : REDACTED;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redact));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redactValue(item, redact)]));
}
