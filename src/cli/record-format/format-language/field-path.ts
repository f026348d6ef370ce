/**
 * A field of a JSON value: `.a.b`, `.a[0]`, `.["any name"]`, `."any name"`, `.` for the whole. A path, no jq program.
 */
import { formatError } from './layout.js';

export type FieldPath = readonly (string | number)[];

const STEP = /^(?:\.?\[(-?\d+)\]|\.?\[("(?:[^"\\]|\\.)*")\]|\.("(?:[^"\\]|\\.)*")|\.([^.[\]"\s]+))/;

/** KLOG_USAGE with the place in the format. */
export function parseFieldPath(format: string, index: number, path: string): FieldPath {
  const steps: (string | number)[] = [];
  if (path === '.') return steps;
  let rest = path;
  while (rest !== '') {
    const match = STEP.exec(rest);
    if (match === null) {
      throw formatError(
        format,
        index,
        `jq: takes a field path, not "${path}"`,
        'For example .a.b[0] or .["any name"]; for more, pipe klog consume -J into jq.',
      );
    }
    const quoted = match[2] ?? match[3];
    if (match[1] !== undefined) steps.push(Number(match[1]));
    else if (quoted !== undefined) steps.push(JSON.parse(quoted) as string);
    else steps.push(match[4]!);
    rest = rest.slice(match[0].length);
  }
  if (steps.length === 0) throw formatError(format, index, 'jq: needs a field path', 'For example jq:.a.b[0].');
  return steps;
}

/** The field, or undefined where there is none. A negative index counts from the end. */
export function fieldAt(value: unknown, path: FieldPath): unknown {
  let current = value;
  for (const step of path) {
    if (typeof step === 'number') {
      if (!Array.isArray(current)) return undefined;
      current = current.at(step);
    } else {
      if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
      if (!Object.hasOwn(current, step)) return undefined;
      current = (current as Record<string, unknown>)[step];
    }
  }
  return current;
}
