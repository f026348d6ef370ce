/** What a record, a name or a message says must not steer the terminal it is shown on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecordPrinter } from '../../src/cli/record-format/create-printer.js';
import { WHOLE_WORD_FORMATS } from '../../src/cli/record-format/format-help.js';
import { OutputBuffer } from '../../src/cli/record-format/output-buffer.js';
import { openClient } from '../../src/index.js';
import { contextOf, cursorOver, type TestRecord } from '../cli/record-format/support.js';
import { run } from '../cli/support/fake-context.js';
import { shell } from '../support/klog-process.js';
import { runs } from '../support/properties.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const ATTACKS = [
  '\x1b]52;c;cHduZWQ=\x07',
  '\x1b]0;title\x07',
  '\x1b[2J',
  '\x1b[31m',
  '\x1bc',
  '\x1bP1$r0m\x1b\\',
  '\x9b31m',
  '\x90q\x9c',
  '\x9d0;t\x9c',
  'a\rb',
  '\x08\x08\x08',
  '\x7f',
  '\0',
  '\x0e',
  '\x85',
  '\u202egnp.exe',
  '\u2066x\u2069',
  '\u200f',
  '\u061c',
  '\u2028',
  '\u2029',
];

/** Bytes that a terminal acts upon, or a lone C1 byte, or a bidirectional control. */
function steers(bytes: Buffer): string | undefined {
  for (const byte of bytes)
    if ((byte < 0x20 && byte !== 0x0a && byte !== 0x09) || byte === 0x7f) return `0x${byte.toString(16)}`;
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const found = /[\u0080-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.exec(text);
  if (found !== null) return `U+${found[0].charCodeAt(0).toString(16)}`;
  // What is no UTF-8 would be taken for Latin-1 by some terminals.
  return Buffer.from(text).equals(bytes) ? undefined : 'bytes that are no UTF-8';
}

function shown(record: TestRecord, format: string | undefined): Buffer {
  const printer = createRecordPrinter({ format, forTerminal: true, now: () => 0 });
  const out = new OutputBuffer();
  printer.begin?.(out);
  const cursor = cursorOver([record]);
  while (cursor.next()) printer.print(cursor, contextOf(), out);
  return Buffer.from(out.view());
}

const FORMATS = [
  undefined,
  ...WHOLE_WORD_FORMATS,
  '%t/%p@%o %k=%v %h{%k=%v,}\\n',
  '%k{base64}%v{json}\\n',
  'kcat:%k %s %h\\n',
];

describe('records on a terminal', () => {
  it.each(FORMATS.map((format) => ({ format })))('format $format: no byte of them steers it', ({ format }) => {
    for (const attack of ATTACKS) {
      for (const bytes of [Buffer.from(attack), Buffer.from(attack, 'latin1')]) {
        let out: Buffer;
        try {
          out = shown({ key: bytes, value: bytes, headers: [[attack, bytes]] }, format);
        } catch (error) {
          // A format that wants JSON says so.
          expect((error as { code?: string }).code).toBe('KLOG_BAD_INPUT');
          continue;
        }
        expect(steers(out), `${format}: ${JSON.stringify(attack)}`).toBeUndefined();
      }
    }
  });

  it.each([undefined, 'json', 'csv', 'table', '%k=%v %h{%k=%v,}\\n'].map((format) => ({ format })))(
    'format $format: nor do any bytes',
    ({ format }) => {
      const bytes = fc.uint8Array({ maxLength: 40 });
      fc.assert(
        fc.property(bytes, bytes, fc.string({ unit: 'binary', maxLength: 10 }), (key, value, name) => {
          expect(steers(shown({ key, value, headers: [[name, value]] }, format))).toBeUndefined();
        }),
        { numRuns: runs(500) },
      );
    },
  );
});

describe('messages', () => {
  it.each(ATTACKS)('about names, flags and places do not steer it: %j', async (attack) => {
    const lines = [
      ['consume', attack],
      ['produce', attack],
      ['topic', 'describe', attack],
      ['topic', 'create', `a${attack}`],
      [attack],
      [`--${attack}`],
      ['consume', 'a', '-o', attack],
      ['consume', 'a', '-f', `%{${attack}`],
      ['consume', 'a', '-G', `(${attack}`],
      ['consume', 'a', '-d', `/nowhere/${attack}`],
      ['topic', 'create', 'a', '-c', `${attack}=1`],
      ['topic', 'create', 'a', '-c', `retention.ms=${attack}`],
      ['log', 'dump', `./${attack}`],
    ];
    for (const args of lines) {
      const { out, err } = await run(
        args.map((arg) => arg.replaceAll('\0', '0')),
        { terminal: true, env: { HOME: '/nowhere' } },
      );
      expect(steers(Buffer.from(out + err)), args.join(' ')).toBeUndefined();
    }
  });

  it('about files with such names, and about what stands in config files, do not steer it', async () => {
    await inTemporaryDirectory(async (work) => {
      const cwd = join(work, 'a\x1b[2J\u202eb');
      mkdirSync(cwd);
      writeFileSync(join(cwd, 'klog.config.yaml'), 'x\x9b31m: &\x1b[2J [\n');
      const { code, err } = await run('topic list', { terminal: true, cwd, env: { HOME: work } });
      expect(code).not.toBe(0);
      expect(steers(Buffer.from(err))).toBeUndefined();
    });
  });
});

describe('the process on a terminal of its own', () => {
  it('shows an attack escaped; into a pipe it goes as it is, and with --raw too', async () => {
    await inTemporaryDirectory(async (work) => {
      await using client = await openClient({ directory: join(work, '.klog'), create: true });
      await client.admin().createTopic({ topic: 't' });
      const attack = Buffer.concat([Buffer.from(ATTACKS.join('')), Buffer.from([0x9b, 0x33])]);
      await using producer = client.producer();
      await producer.sendAll([{ topic: 't', value: attack }]);
      const env = { HOME: work };
      const onTerminal = 'script -qec "$(declare -f klog); klog consume t" /dev/null';
      const { out } = await shell(onTerminal.replace('script', 'SHELL=/bin/bash script'), { cwd: work, env });
      // The terminal itself ends its lines with a carriage return.
      expect(steers(Buffer.from(out.replaceAll('\r\n', '\n')))).toBeUndefined();
      expect(out).toContain('52;c;');
      const piped = await shell('klog consume t | base64 -w0; echo; klog consume --raw t | base64 -w0', {
        cwd: work,
        env,
      });
      const expected = Buffer.concat([attack, Buffer.from('\n')]).toString('base64');
      expect(piped.out).toBe(`${expected}\n${expected}`);
    });
  });
});
