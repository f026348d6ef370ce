import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openClient } from '../../src/clients/local/open-client.js';
import { describeClient } from '../contract/client.contract.js';
import { describeGroups } from '../contract/groups.contract.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const open = () => openClient({ directory: join(temporaryDirectory(), '.klog'), create: true });

describeClient('a directory', { open });
describeGroups('a directory', { open });

it('a client that is closed waits for a producer that somebody else is closing', async () => {
  const client = await open();
  await client.admin().createTopic({ topic: 't' });
  const producer = client.producer({ lingerMs: 60_000 });
  const sent = producer.send({ topic: 't', key: null, value: Buffer.from('x') });
  const closing = producer.close();
  await client.close();
  await closing;
  expect(await sent).toMatchObject({ offset: 0 });
});
