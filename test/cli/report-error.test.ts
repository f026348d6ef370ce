import { describe, expect, it } from 'vitest';
import { combineExitCodes, EXIT_CODES, exitCodeOf } from '../../src/cli/exit-code.js';
import { reportError } from '../../src/cli/report-error.js';
import { ERROR_CODES, type ErrorCode, KlogError } from '../../src/errors.js';

const line = (error: unknown) => reportError(error, { json: false, debug: false });

describe('reportError', () => {
  it('says what failed, where and what to try, in one line', () => {
    const error = new KlogError('CORRUPT_MESSAGE', 'reading failed: CRC does not match', {
      topic: 'orders',
      partition: 2,
      offset: 17,
      file: '/x/0.log',
      position: 4096,
      hint: 'Run klog log check orders',
    });
    expect(line(error)).toBe(
      'klog: reading failed: CRC does not match (orders:2, offset 17, /x/0.log, position 4096). Run klog log check orders.\n',
    );
  });

  it('does not say twice what the message says', () => {
    expect(line(new KlogError('UNKNOWN_TOPIC_OR_PARTITION', "unknown topic 'orders'", { topic: 'orders' }))).toBe(
      "klog: unknown topic 'orders'\n",
    );
  });

  it('escapes what would steer a terminal, and line breaks', () => {
    expect(line(new KlogError('KLOG_USAGE', 'a\u001b[31m\nb\u202ec\u009bd'))).toBe(
      'klog: a\\x1b[31m\\nb\\u202ec\\x9bd\n',
    );
  });

  it('gives an object with --json, without what is unknown', () => {
    const error = new KlogError('KLOG_BAD_INPUT', 'no separator', { line: 3, file: 'in.txt' });
    expect(JSON.parse(reportError(error, { json: true, debug: false }))).toEqual({
      error: 'no separator',
      code: 'KLOG_BAD_INPUT',
      exit: 3,
      line: 3,
      file: 'in.txt',
    });
  });

  it('has a stack, with its causes, for debugging only', () => {
    const error = new KlogError('KLOG_INTERNAL', 'outer', { cause: new Error('inner') });
    expect(line(error)).not.toContain('at ');
    const text = reportError(error, { json: false, debug: true });
    expect(text).toMatch(/KlogError: outer\n\s+at /);
    expect(text).toContain('caused by: Error: inner');
  });

  it('takes what is no Error', () => {
    expect(line('boom')).toBe('klog: boom\n');
  });
});

describe('exit codes', () => {
  it('exist for every error code', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      expect(EXIT_CODES).toHaveProperty(String(exitCodeOf(new KlogError(code, 'x'))));
    }
    expect(exitCodeOf(new Error('x'))).toBe(1);
    // Not 8: who tries again what was locked might store records twice.
    expect(exitCodeOf(new KlogError('KLOG_OUTCOME_UNKNOWN', 'x'))).toBe(1);
  });

  it('are those of the operands when all ended alike, else 1', () => {
    expect(combineExitCodes([])).toBe(0);
    expect(combineExitCodes([4, 4])).toBe(4);
    expect(combineExitCodes([0, 0])).toBe(0);
    expect(combineExitCodes([0, 4])).toBe(1);
    expect(combineExitCodes([4, 2])).toBe(1);
  });
});
