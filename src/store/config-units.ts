/** How people may write the numbers of a topic config; stored are plain numbers, as Kafka writes them. */

const MILLISECONDS: Readonly<Record<string, bigint>> = {
  ms: 1n,
  s: 1_000n,
  m: 60_000n,
  h: 3_600_000n,
  d: 86_400_000n,
};
const BYTES: Readonly<Record<string, bigint>> = { B: 1n, K: 1n << 10n, M: 1n << 20n, G: 1n << 30n, T: 1n << 40n };

/** `604800000`, `7d`, `500ms`; `undefined`: none of these. */
export function parseMilliseconds(text: string): bigint | undefined {
  const match = /^(-?\d{1,19})(ms|s|m|h|d)?$/.exec(text);
  return match === null ? undefined : BigInt(match[1]!) * MILLISECONDS[match[2] ?? 'ms']!;
}

/** `1073741824`, `1G`, `1GiB`, `512k`, `64MB` (1024, always); `undefined`: none of these. */
export function parseBytes(text: string): bigint | undefined {
  const match = /^(-?\d{1,19})(?:(B)|([KMGT])(?:i?B)?)?$/i.exec(text);
  return match === null ? undefined : BigInt(match[1]!) * BYTES[(match[2] ?? match[3] ?? 'B').toUpperCase()]!;
}

export function parseInteger(text: string): bigint | undefined {
  return /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}
