/**
 * The worker in one file, of the sources as they are or with a flaw in them: it starts at once, and has no compiler in
 * its memory.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { type Flaw, plantFlaws } from '../support/plant-flaws.js';

const root = resolve(import.meta.dirname, '../..');

/** Fixtures are looked for from where the source lies. */
const ownPlace: Plugin = {
  name: 'own-place',
  setup({ onLoad }) {
    onLoad({ filter: /kafka-fixtures\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' };
    });
  },
};

/** @returns its path */
export async function buildWorker(directory: string, flaws: readonly Flaw[] = []): Promise<string> {
  await mkdir(directory, { recursive: true });
  const modules = join(directory, 'node_modules');
  // Packages stay external, and are looked for from where it lies.
  if (!existsSync(modules)) await symlink(join(root, 'node_modules'), modules, 'dir');
  const outfile = join(directory, 'worker.mjs');
  const { plugin, assertPlanted } = plantFlaws(flaws);
  await build({
    absWorkingDir: root,
    entryPoints: ['test/fuzz/worker.ts'],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
    plugins: [plugin, ownPlace],
  });
  assertPlanted();
  return outfile;
}
