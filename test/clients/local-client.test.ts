import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClient } from '../../src/clients/local/open-client.js';
import { describeClient } from '../contract/client.contract.js';

describeClient('a directory', {
  async open() {
    const directory = await mkdtemp(join(tmpdir(), 'klog-client-'));
    const client = await openClient({ directory: join(directory, '.klog'), create: true });
    return {
      client,
      async dispose() {
        await client.close();
        await rm(directory, { recursive: true });
      },
    };
  },
});
