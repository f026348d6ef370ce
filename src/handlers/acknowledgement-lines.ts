/** The longest line that is taken for an acknowledgement. */
const LONGEST_LINE = 64 * 1024;

/** Splits what a handler writes into lines, of which it keeps a bounded part of the last. */
export class AcknowledgementLines {
  #rest = '';
  readonly #decoder = new TextDecoder();

  /** The lines that are whole now. Undefined: a line is longer than any acknowledgement. */
  push(bytes: Uint8Array): string[] | undefined {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) return undefined;
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  }
}

/** `ok` acknowledges, alone or with the record's name behind it; any other line says why not. */
export function acknowledgementOf(line: string): { readonly reason: string } | undefined {
  const text = line.trim();
  if (text === 'ok' || namedBy(line) !== undefined) return undefined;
  return { reason: text === '' ? 'an empty line instead of ok' : text };
}

/** The record that the line acknowledges by its name, `TOPIC:PARTITION@OFFSET`. */
export function namedBy(line: string): string | undefined {
  return /^\s*ok\s+(\S+:\d+@\d+)\s*$/.exec(line)?.[1];
}
