/**
 * The properties of `-f kafka`, by the names of Kafka's console consumer; those of its console producer mean the same.
 */
import { KlogError } from '../../../errors.js';

/** In the order in which they are printed. */
const FLAGS = [
  'print.timestamp',
  'print.partition',
  'print.offset',
  'print.epoch',
  'print.headers',
  'print.key',
  'print.value',
] as const;

export type KafkaColumn = (typeof FLAGS)[number];

const TEXTS = ['key.separator', 'line.separator', 'headers.separator', 'null.literal'] as const;

type Text = (typeof TEXTS)[number];

const DEFAULT_TEXTS: Readonly<Record<Text, string>> = {
  'key.separator': '\t',
  'line.separator': '\n',
  'headers.separator': ',',
  'null.literal': 'null',
};

const PRODUCERS_NAMES: Readonly<Record<string, string>> = {
  'parse.key': 'print.key',
  'parse.headers': 'print.headers',
  'null.marker': 'null.literal',
};

export interface KafkaLayout {
  readonly columns: readonly KafkaColumn[];
  readonly texts: Readonly<Record<Text, string>>;
}

/** KLOG_USAGE for an unknown name, or a `print.…` that is neither true nor false. */
export function parseKafkaProperties(properties: Readonly<Record<string, string>>): KafkaLayout {
  const printed = new Set<KafkaColumn>(['print.value']);
  const texts = { ...DEFAULT_TEXTS };
  for (const [given, value] of Object.entries(properties)) {
    const name = Object.hasOwn(PRODUCERS_NAMES, given) ? PRODUCERS_NAMES[given]! : given;
    if (isOneOf(FLAGS, name)) {
      if (!/^(true|false)$/i.test(value)) {
        throw new KlogError('KLOG_USAGE', `Property ${given} is "${value}"`, { hint: 'It takes true or false.' });
      }
      if (value.toLowerCase() === 'true') printed.add(name);
      else printed.delete(name);
    } else if (isOneOf(TEXTS, name)) {
      texts[name] = value;
    } else {
      throw new KlogError('KLOG_USAGE', `Unknown formatter property ${given}`, {
        hint: `Known: ${[...FLAGS, ...TEXTS].join(' ')}.`,
      });
    }
  }
  return { columns: FLAGS.filter((flag) => printed.has(flag)), texts };
}

function isOneOf<const T extends string>(names: readonly T[], name: string): name is T {
  return (names as readonly string[]).includes(name);
}
