import { symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { type Flaw, plantFlaws } from './plant-flaws.js';
import { inTemporaryDirectory } from './temporary-directory.js';

export type { Flaw };

const root = resolve(import.meta.dirname, '../..');

/** The modules `entries` (below `src/`) in one, as they are. */
export function loadRight<Module>(entries: readonly string[]): Promise<Module> {
  return load(entries, []);
}

/** The same with a flaw in it. A flaw may need several changes, each a {@link Flaw} of its own. */
export function loadWithFlaw<Module>(entries: readonly string[], ...flaw: readonly Flaw[]): Promise<Module> {
  if (flaw.length === 0) throw new TypeError('no flaw given');
  return load(entries, flaw);
}

function load<Module>(entries: readonly string[], flaws: readonly Flaw[]): Promise<Module> {
  return inTemporaryDirectory(async (outside) => {
    // Packages stay external, and are looked for from where the module lies.
    await symlink(join(root, 'node_modules'), join(outside, 'node_modules'), 'dir');
    const { plugin, assertPlanted } = plantFlaws(flaws);
    const outfile = join(outside, 'bundle.mjs');
    await build({
      stdin: {
        contents: entries.map((entry) => `export * from './${entry.replace(/\.ts$/, '.js')}';`).join('\n'),
        resolveDir: join(root, 'src'),
        loader: 'ts',
      },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'silent',
      plugins: [plugin],
    });
    assertPlanted();
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as Module;
  });
}
