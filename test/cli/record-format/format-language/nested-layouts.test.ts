import { expect, it } from 'vitest';
import { createRecordPrinter } from '../../../../src/cli/record-format/create-printer.js';

it('layouts nested thousands deep are an error of the format, not of the stack', () => {
  const options = { forTerminal: false, now: () => 0 };
  expect(() => createRecordPrinter({ ...options, format: '%h{'.repeat(20_000) })).toThrow(/nested too deeply/);
  expect(() => createRecordPrinter({ ...options, format: '%h{%k=%v,}\n'.repeat(100) })).not.toThrow();
});
