/**
 * The library as processes of a test load it, of the sources as they are or with a flaw in them: a directory like
 * `dist`.
 */
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import { type Flaw, plantFlaws } from './plant-flaws.js';

const root = resolve(import.meta.dirname, '../..');

/** @param entries modules below `src/`, without `.ts`; they share their parts, as in `dist` */
export async function buildLibrary(
  directory: string,
  entries: readonly string[],
  flaws: readonly Flaw[] = [],
): Promise<string> {
  await mkdir(directory, { recursive: true });
  // Packages stay external, and are looked for from where the modules lie; what is `.js` there is a module.
  const modules = join(directory, 'node_modules');
  if (!existsSync(modules)) {
    await symlink(join(root, 'node_modules'), modules, 'dir');
    await symlink(join(root, 'package.json'), join(directory, 'package.json'));
  }
  const { plugin, assertPlanted } = plantFlaws(flaws);
  await build({
    absWorkingDir: root,
    entryPoints: entries.map((entry) => `src/${entry}.ts`),
    outbase: 'src',
    outdir: directory,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'silent',
    plugins: [plugin],
  });
  assertPlanted();
  return directory;
}
