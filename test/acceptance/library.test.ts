import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { plainEnvironment } from '../support/klog-process.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const LIBRARY = pathToFileURL(join(import.meta.dirname, '../../dist/index.js')).href;

it('works in node -e, where there is a __filename that names no file', () => {
  const script = `
    import(${JSON.stringify(LIBRARY)}).then(async ({ openClient }) => {
      const client = await openClient({ directory: 'log', create: true });
      const producer = client.producer({ createTopics: true });
      await producer.sendAll([{ topic: 't', value: Buffer.alloc(1000) }]);
      for await (const { value } of client.consumer({ topics: ['t'] })) console.log(value.length);
      await client.close();
    });`;
  const options = { cwd: temporaryDirectory(), env: plainEnvironment(), encoding: 'utf8' } as const;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], options);
  expect({ stdout, stderr }).toEqual({ stdout: '1000\n', stderr: '' });
});
