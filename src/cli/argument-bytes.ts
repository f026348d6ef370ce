/**
 * Arguments are bytes, and need not be UTF-8. Node decodes them before a program sees them, and every bad byte is
 * U+FFFD by then. Linux still has the bytes; each of those that are not UTF-8 is carried through the command line's
 * parsing as a lone surrogate, U+DC00 and the byte, and is a byte again where the text becomes bytes:
 *
 * ```
 * bytes        61 ff 62
 * Node's       a U+FFFD b
 * recovered    a U+DCFF b       recoverArguments
 * bytes        61 ff 62         argumentBytes
 * ```
 *
 * Text of Node never has lone surrogates, so nothing else looks like that.
 */
import { KlogError } from '../errors.js';
import { utf8SequenceLength } from './record-format/utf8.js';

const REPLACEMENT = '\ufffd';
const BYTE_SURROGATES = 0xdc00;
/** With `u`, only those that are no half of a pair. */
const CARRIED_BYTE = /[\udc80-\udcff]/u;

/** Whether bytes may have been lost: an argument may also hold a U+FFFD that was typed. */
export function mayLackBytes(args: readonly string[]): boolean {
  return args.some((arg) => arg.includes(REPLACEMENT));
}

/**
 * The arguments with what was lost. `commandLine`: each argument of the process and a NUL, as in /proc/self/cmdline;
 * undefined where the system does not tell: KLOG_USAGE then, since wrong bytes are worse than none.
 */
export function recoverArguments(args: readonly string[], commandLine: Uint8Array | undefined): string[] {
  const whole = commandLine === undefined ? [] : splitAtNul(Buffer.from(commandLine));
  const own = whole.slice(whole.length - args.length);
  if (own.length === args.length && own.every((bytes, i) => bytes.toString('utf8') === args[i]))
    return own.map(carried);
  throw new KlogError('KLOG_USAGE', 'an argument has bytes that are not UTF-8, and this system does not tell which', {
    hint: 'Give such bytes on standard input or in a file, or as \\xNN in a format',
  });
}

/** The bytes of an argument, or of a part of one. */
export function argumentBytes(text: string): Buffer {
  if (!CARRIED_BYTE.test(text)) return Buffer.from(text, 'utf8');
  const parts = Array.from(text, (character) => {
    return CARRIED_BYTE.test(character)
      ? Buffer.from([character.charCodeAt(0) - BYTE_SURROGATES])
      : Buffer.from(character, 'utf8');
  });
  return Buffer.concat(parts);
}

/** A byte as text that {@link argumentBytes} makes that byte again, whatever stands beside it. */
export function byteAsText(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : BYTE_SURROGATES + byte);
}

function splitAtNul(bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let nul = bytes.indexOf(0); nul >= 0; nul = bytes.indexOf(0, from)) {
    parts.push(bytes.subarray(from, nul));
    from = nul + 1;
  }
  return parts;
}

function carried(bytes: Buffer): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = utf8SequenceLength(bytes, i, bytes.length);
    text += length === 0 ? byteAsText(bytes[i]!) : bytes.toString('utf8', i, i + length);
    i += length || 1;
  }
  return text;
}
