import type { OffsetSpec } from '../../clients/consumer.js';
import { KlogError } from '../../errors.js';
import { parseOffsetPoint } from '../values/parse-offset.js';
import type { TimeContext } from '../values/parse-time.js';

/** Where `--to` of `group seek` moves a group. */
export type SeekTarget =
  | { readonly kind: 'place'; readonly spec: OffsetSpec }
  | { readonly kind: 'shift'; readonly by: number }
  | { readonly kind: 'current' }
  | { readonly kind: 'group'; readonly group: string }
  | { readonly kind: 'file'; readonly file: string };

/** Unlike a range's `-5` and `+5`, which count from the log's ends, these count from where the group is. */
export function parseSeekTarget(text: string, time: TimeContext): SeekTarget {
  if (text === 'current') return { kind: 'current' };
  if (text.startsWith('group:')) return { kind: 'group', group: needed(text.slice('group:'.length), text) };
  if (text.startsWith('file:')) return { kind: 'file', file: needed(text.slice('file:'.length), text) };
  const by = Number(text);
  if (/^[+-]\d+$/.test(text) && Number.isSafeInteger(by)) return { kind: 'shift', by };
  return { kind: 'place', spec: parseOffsetPoint(text, time) };
}

function needed(name: string, text: string): string {
  if (name === '') throw new KlogError('KLOG_USAGE', `'${text}' names nothing`);
  return name;
}
