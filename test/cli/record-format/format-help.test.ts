import { describe, expect, it } from 'vitest';
import { createRecordPrinter } from '../../../src/cli/record-format/create-printer.js';
import { createRecordReader } from '../../../src/cli/record-format/create-reader.js';
import { FORMAT_MODIFIERS, FORMAT_VERBS } from '../../../src/cli/record-format/format-help.js';
import { printed } from './support.js';

const isKnown = (format: string) => {
  try {
    createRecordPrinter({ format, now: () => 0 });
    return true;
  } catch {
    return false;
  }
};
describe('what help says of -f', () => {
  it('names every verb there is, and none that is not', () => {
    const named = new Set(FORMAT_VERBS.flatMap(([written]) => [...written.matchAll(/%(.)/g)].map(([, verb]) => verb)));
    // Share groups have them, and nobody else.
    const left = new Set(['A', 'D']);
    for (let code = 0x21; code < 0x7f; code++) {
      const verb = String.fromCharCode(code);
      const exists = isKnown(`%${verb}`) || isKnown(`%${verb}{compression}`);
      if (!left.has(verb)) expect({ verb, exists }).toEqual({ verb, exists: named.has(verb) });
    }
  });

  it('shows layouts that work', () => {
    const layouts = FORMAT_VERBS.flatMap(([, meaning]) => meaning.match(/%\w\{.*?\}(?= |;|$)/g) ?? []);
    expect(layouts).toContain('%d{strftime[%F %T]}');
    expect(layouts).toContain('%h{%k=%v;}');
    for (const layout of layouts) expect(isKnown(layout), layout).toBe(true);
    const attributes = FORMAT_VERBS.find(([written]) => written === '%a{NAME}')![1].split(/, | or /);
    for (const attribute of attributes) expect(isKnown(`%a{${attribute}}`), attribute).toBe(true);
  });

  it('names modifiers that work', () => {
    const [texts, numbers] = FORMAT_MODIFIERS.map(([, meaning]) => meaning.split(';')[0]!.split(' '));
    for (const modifier of texts!) expect(isKnown(`%v{${modifier.replace('SPEC', 'c')}}`), modifier).toBe(true);
    for (const modifier of numbers!.filter((word) => word !== '…'))
      expect(isKnown(`%o{${modifier}}`), modifier).toBe(true);
  });
});

describe('a word that is no format', () => {
  it('is refused instead of printed for each record; with a verb, an escape or alone it is text', async () => {
    expect(() => createRecordPrinter({ format: 'jsno', now: () => 0 })).toThrow("'jsno' is no format");
    const reader = { format: 'jsno', strict: false, kafkaProperties: {} };
    await expect(createRecordReader(reader)).rejects.toThrow("'jsno' is no format");
    for (const format of ['raw', 'hex', 'netstring', 'csv']) await createRecordReader({ ...reader, format });
    for (const format of ['ok%v', 'ok\\n', 'x', 'OK']) expect(isKnown(format), format).toBe(true);
    expect(printed([{ value: 'v' }, { value: 'w' }], { format: 'x' }).toString()).toBe('xx');
  });
});
