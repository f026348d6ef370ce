import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { argumentBytes, mayLackBytes, recoverArguments } from '../../src/cli/argument-bytes.js';
import { runs } from '../support/properties.js';
import { run } from './support/fake-context.js';
import { withLog } from './support/real-log.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** What the system holds of a call, and what Node makes of it. */
function call(...args: readonly Uint8Array[]) {
  const nul = Buffer.from([0]);
  const before = [Buffer.from('/usr/bin/node'), nul, Buffer.from('klog.js'), nul];
  const commandLine = Buffer.concat([...before, ...args.flatMap((arg) => [Buffer.from(arg), nul])]);
  return { args: args.map((arg) => Buffer.from(arg).toString('utf8')), commandLine };
}

describe('arguments that are not UTF-8', () => {
  it('come back byte for byte, also next to pairs of surrogates', () => {
    const byte = fc.integer({ min: 1, max: 255 });
    const odd = fc.constantFrom('\ufffd', '\u{1f480}', 'é', '\xff', 'a').map((text) => Buffer.from(text));
    const bytes = fc.oneof(
      fc.array(byte, { maxLength: 12 }).map((all) => Buffer.from(all)),
      fc
        .array(
          fc.oneof(
            odd,
            byte.map((one) => Buffer.from([one])),
          ),
          { maxLength: 6 },
        )
        .map((all) => Buffer.concat(all)),
    );
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 5 }), (all) => {
        const { args, commandLine } = call(...all);
        const recovered = mayLackBytes(args) ? recoverArguments(args, commandLine) : args;
        expect(recovered.map(argumentBytes)).toEqual(all);
      }),
      { numRuns: runs(300) },
    );
  });

  it('are stored as they are: key, value, header, delimiters, literals of formats', () =>
    withLog(async (log) => {
      const runBytes = (...words: string[]) => {
        const { args, commandLine } = call(...words.map(latin1));
        return log.run(args, { commandLine, stdin: [latin1('a\xffb\xfec\xffd')] });
      };
      await runBytes('produce', 't', '-k', 'k\xff', '--value', '\xfe\xc3\xa9v', '-H', 'h=\x80');
      await runBytes('produce', 't', '-K', '\xff', '-D', '\xfe');
      await runBytes('produce', 't', '-f', '%k\xff%v\xfe');
      const { out } = await log.run(['consume', 't', '-f', '%k{hex} %v{hex} %h{%v{hex}};']);
      expect(out).toBe('6bff fec3a976 80;61 62 ;63 64 ;61 62 ;63 64 ;');
      expect((await runBytes('consume', 't', '-G', 'k:k\xff', '-f', '%o')).out).toBe('0');
      expect(await runBytes('produce', 't', '-k', 'a', '--value', 'b', '-H', '\xff=x')).toMatchObject({ code: 2 });
      const kafka = ['-f', 'kafka', '--property', 'print.key=true', '--property', 'key.separator=\xff'];
      const { context } = await runBytes('consume', 't', '-n', '1', ...kafka);
      expect(context.bytes).toEqual(latin1('k\xff\xff\xfe\xc3\xa9v\n'));
    }));

  it('are refused where the system does not tell them, or tells something else', async () => {
    const { args, commandLine } = call(...['produce', 't', '-k', '\xff', '--value', 'v'].map(latin1));
    for (const told of [undefined, Buffer.alloc(0), latin1('node\0klog.js\0other\0'), commandLine.subarray(3, -4)]) {
      const options = told === undefined ? {} : { commandLine: told };
      expect(await run(args, options)).toMatchObject({
        code: 2,
        err: 'klog: an argument has bytes that are not UTF-8, and this system does not tell which. Give such bytes on standard input or in a file, or as \\xNN in a format.\n',
      });
    }
  });
});
