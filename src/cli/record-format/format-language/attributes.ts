/** `%a{…}`: attributes of a record's batch, as `%a{compression}` or as a number `%a{control-bit;bool}`. */
import { COMPRESSION_TYPES } from '../../../format/compression.js';
import type { RecordCursor } from '../../../format/record-cursor.js';
import type { FormatContext, RecordFormatter } from '../format-context.js';
import { formatError, type VerbNode } from './layout.js';
import { NUMBER_MODIFIERS, numberWriterNamed, writeDecimal } from './numbers.js';

const TIMESTAMP_TYPES = { none: -1, create: 0, append: 1 } as const;

const ATTRIBUTES: Readonly<Record<string, (cursor: RecordCursor, context: FormatContext) => number>> = {
  compression: (_cursor, context) => (COMPRESSION_TYPES as readonly string[]).indexOf(context.compression),
  'timestamp-type': (cursor) => TIMESTAMP_TYPES[cursor.timestampType],
  'transactional-bit': (_cursor, context) => (context.isTransactional ? 1 : 0),
  'control-bit': (_cursor, context) => (context.isControl ? 1 : 0),
};

const KNOWN = `Known: ${Object.keys(ATTRIBUTES).join(' ')}, each with ;NUMBER as in %a{control-bit;bool}.`;

export function compileAttribute(format: string, verb: VerbNode): RecordFormatter {
  const [attribute, numberModifier, third] = verb.modifiers;
  if (attribute === undefined) throw formatError(format, verb.index, '%a needs braces that say which attribute', KNOWN);
  const read = Object.hasOwn(ATTRIBUTES, attribute.name) ? ATTRIBUTES[attribute.name] : undefined;
  if (read === undefined) throw formatError(format, attribute.index, 'unknown attribute', KNOWN);
  if (third !== undefined) throw formatError(format, third.index, 'an attribute takes one number modifier');
  if (numberModifier === undefined && attribute.name === 'compression') {
    return (_cursor, context, out) => out.writeText(context.compression);
  }
  const write = numberModifier === undefined ? writeDecimal : numberWriterNamed(numberModifier.name);
  if (write === undefined) {
    throw formatError(format, numberModifier!.index, 'unknown number modifier', `Known: ${NUMBER_MODIFIERS}.`);
  }
  return (cursor, context, out) => write(read(cursor, context), out);
}
