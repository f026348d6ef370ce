/** Code that lies about in directories is not run. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { klog } from '../support/klog-process.js';
import { inTemporaryDirectory } from '../support/temporary-directory.js';

const CONFIGS = [
  'klog.config.js',
  'klog.config.cjs',
  'klog.config.mjs',
  'klog.config.ts',
  '.klogrc',
  '.klogrc.js',
  '.klogrc.cjs',
  '.config/klogrc.js',
];
const PACKAGES = [
  'snappy',
  'lz4-napi',
  'fs-native-extensions',
  '@node-rs/crc32',
  'yaml',
  'inquirer',
  '@bokuweb/zstd-wasm',
  'msgpackr',
  'klog',
];

function plant(directory: string): void {
  const payload = `require('node:fs').writeFileSync(${JSON.stringify(join(directory, 'pwned'))}, ''); module.exports = {};`;
  mkdirSync(join(directory, '.config'), { recursive: true });
  for (const name of CONFIGS) writeFileSync(join(directory, name), payload);
  for (const name of PACKAGES) {
    const home = join(directory, 'node_modules', name);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"main":"index.js","version":"0.0.0"}');
    writeFileSync(join(home, 'index.js'), payload);
  }
  writeFileSync(join(directory, 'package.json'), `{"klog":{"dir":"/elsewhere"},"main":"klog.config.js"}`);
}

describe('modules planted in the working directory and in the data directory', () => {
  it('are not loaded by any command', async () => {
    await inTemporaryDirectory(async (work) => {
      const options = { cwd: work, env: { HOME: work } };
      await klog(['topic', 'create', 't'], options);
      plant(work);
      plant(join(work, '.klog'));
      const input = 'a\nb\n';
      const lines = [
        ['produce', 't', '-z', 'snappy'],
        ['produce', 't', '-z', 'lz4'],
        ['produce', 't', '-z', 'zstd'],
        ['consume', 't'],
        ['consume', 't', '-J'],
        ['consume', 't', '--value-format', 'msgpack'],
        ['topic', 'list'],
        ['topic', 'describe', 't'],
        ['log', 'dump', 't'],
        ['completion', 'bash'],
        ['topic', 'delete', 't', '--yes'],
      ];
      for (const args of lines) {
        await klog(args, { ...options, input });
        for (const directory of [work, join(work, '.klog')])
          expect(readdirSync(directory), args.join(' ')).not.toContain('pwned');
      }
      expect(readdirSync(work)).toContain('.klog');
    });
  });
});
