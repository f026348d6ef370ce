/**
 * Kafka's rules for topic names. A name becomes part of a directory's name, so every path goes through
 * {@link validateTopicName} first.
 */
import { KlogError } from '../errors.js';

const MAX_TOPIC_NAME_LENGTH = 249;

const LEGAL = /^[a-zA-Z0-9._-]+$/;

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([
  '__consumer_offsets',
  '__transaction_state',
  '__share_group_state',
]);

/**
 * Throws `INVALID_TOPIC_EXCEPTION` unless `name` has 1 to 249 characters from `[a-zA-Z0-9._-]` and is neither `.`
 * nor `..`.
 */
export function validateTopicName(name: string): void {
  const fault = faultOf(name);
  if (fault !== undefined) {
    throw new KlogError('INVALID_TOPIC_EXCEPTION', `topic name ${quoted(name)} ${fault}`, {
      hint: `A topic name has 1 to ${MAX_TOPIC_NAME_LENGTH} characters: letters a-z and A-Z, digits, ".", "_", "-".`,
    });
  }
}

export function isValidTopicName(name: string): boolean {
  return faultOf(name) === undefined;
}

/** Whether Kafka itself owns the topic: applications read it at most. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name);
}

/** Whether the name holds `.` or `_`, which Kafka's metrics do not tell apart. */
export function hasCollisionCharacters(name: string): boolean {
  return name.includes('.') || name.includes('_');
}

/**
 * Whether two topics would share a name in Kafka's metrics; Kafka refuses to create the second. Equal names collide.
 */
export function collidesWith(name: string, other: string): boolean {
  return name.replaceAll('.', '_') === other.replaceAll('.', '_');
}

function faultOf(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (name === '.' || name === '..') return 'is not allowed';
  if (name.length > MAX_TOPIC_NAME_LENGTH) return `has ${name.length} characters, at most ${MAX_TOPIC_NAME_LENGTH}`;
  if (!LEGAL.test(name)) return `holds ${quoted(firstIllegal(name))}`;
  return undefined;
}

function firstIllegal(name: string): string {
  for (const character of name) {
    if (!LEGAL.test(character)) return character;
  }
  return name;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 57)}...` : text);
}
