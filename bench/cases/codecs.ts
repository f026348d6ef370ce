import { fileURLToPath } from 'node:url';
import { type BenchCase, type CommandTarget, commandPart } from '../bench-case.js';
import { quoted } from '../measure.js';
import type { Workspace } from '../workspace.js';

const ALONE = fileURLToPath(new URL('../codecs/codec-alone.mjs', import.meta.url));
const CODECS = ['lz4', 'zstd'] as const;

const compressing = (codec: string) => `klog produce -z ${codec} < in`;
const decompressing = (codec: string) => `klog consume, ${codec} > /dev/null`;
const alone = (codec: string, way: string) => `${codec} as klog loads it, only to ${way}`;

export const codecs = commandPart({
  name: 'codecs',
  question:
    "Produce and consume with lz4 and zstd, beside the codec that klog loads given the same bytes, a batch's worth at a time, and beside the codec's own command.",
  cases: (workspace) => CODECS.flatMap((codec) => casesOf(codec, workspace)),
  targets: () =>
    CODECS.flatMap((codec): CommandTarget[] => [
      { of: compressing(codec), beside: alone(codec, 'compress'), by: 'cpu', atMost: 2 },
      { of: decompressing(codec), beside: alone(codec, 'decompress'), by: 'cpu', atMost: 2 },
    ]),
});

function casesOf(codec: string, { records, input, measured, node, klog, program }: Workspace): BenchCase[] {
  const topic = `packed-${codec}`;
  const own = (way: string) =>
    `${measured}${node} ${quoted(ALONE)} ${quoted(JSON.stringify({ codec, way, library: `${program}/dist` }))} ${input}`;
  return [
    {
      title: compressing(codec),
      command: `${measured}${klog} produce ${topic} -d packed -z ${codec} < ${input}`,
      prepare: `${klog} topic delete ${topic} -y -q -d packed > packed.out 2>&1 || true; sync`,
      check: { command: `${klog} consume ${topic} -d packed | cmp - ${input} && echo same`, expected: 'same\n' },
      records,
    },
    { title: alone(codec, 'compress'), command: own('compress'), records, isSelfTimed: true },
    {
      title: `${codec} -c in > /dev/null`,
      command: `${measured}${codec} -q -c ${input} > /dev/null`,
      needs: codec,
      records,
    },
    {
      title: decompressing(codec),
      command: `${measured}${klog} consume ${topic} -d packed > /dev/null`,
      records,
    },
    { title: alone(codec, 'decompress'), command: own('decompress'), records, isSelfTimed: true },
    {
      title: `${codec} -dc > /dev/null`,
      command: `${measured}${codec} -q -dc packed.${codec} > /dev/null`,
      needs: codec,
      prepare: `[ -f packed.${codec} ] || ${codec} -q -c ${input} > packed.${codec}`,
      records,
    },
  ];
}
