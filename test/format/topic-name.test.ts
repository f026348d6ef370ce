import { describe, expect, it } from 'vitest';
import { KlogError } from '../../src/errors.js';
import {
  collidesWith,
  hasCollisionCharacters,
  isInternalTopic,
  isValidTopicName,
  validateTopicName,
} from '../../src/format/topic-name.js';
import { readValues } from './kafka-fixtures.js';

const { names, collisions } = readValues<{
  names: { name: string; valid: boolean; collisionChars: boolean; internal: boolean }[];
  collisions: [string, string, boolean][];
}>('topics-uuids');

function refusalOf(name: string): KlogError | undefined {
  try {
    validateTopicName(name);
    return undefined;
  } catch (error) {
    return error as KlogError;
  }
}

describe('topic names', () => {
  it.each(names)("are judged as Kafka's Topic judges $name", ({ name, valid, collisionChars, internal }) => {
    expect(isValidTopicName(name)).toBe(valid);
    expect(refusalOf(name)?.code).toBe(valid ? undefined : 'INVALID_TOPIC_EXCEPTION');
    expect(hasCollisionCharacters(name)).toBe(collisionChars);
    expect(isInternalTopic(name)).toBe(internal);
  });

  it.each(collisions)('%s and %s collide as in Kafka: %s', (name, other, collide) => {
    expect(collidesWith(name, other)).toBe(collide);
    expect(collidesWith(other, name)).toBe(collide);
  });

  it.each([
    '../x',
    'a/b',
    'a\\b',
    'a\0b',
    '.',
    '..',
    'ä',
    'a\u0440',
    'a\u202eb',
    'a\u2028',
    'x\n',
    'a~',
    'a*',
    ' a',
    '\ud800',
    'x'.repeat(250),
  ])('never let %j become a path', (name) => {
    expect(refusalOf(name)).toBeInstanceOf(KlogError);
  });

  it.each(['-', '-a', '.a', 'a.', '...', 'con', '0', 'x'.repeat(249), '__consumer_offsets'])('allow %j', (name) => {
    expect(refusalOf(name)).toBeUndefined();
  });

  it.each(['__consumer_offsets', '__transaction_state', '__share_group_state'])('%s is internal', (name) => {
    expect(isInternalTopic(name)).toBe(true);
  });

  it('are shown in errors with what is wrong, cut short and without control characters', () => {
    expect(refusalOf('a b')?.message).toBe('topic name "a b" holds " "');
    expect(refusalOf('a\u001b[2J')?.message).toBe('topic name "a\\u001b[2J" holds "\\u001b"');
    expect(refusalOf('y'.repeat(300))?.message).toBe(
      `topic name "${'y'.repeat(57)}..." has 300 characters, at most 249`,
    );
    expect(refusalOf('')?.message).toBe('topic name "" is empty');
  });
});
