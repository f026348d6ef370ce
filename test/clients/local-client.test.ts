import { join } from 'node:path';
import { openClient } from '../../src/clients/local/open-client.js';
import { describeClient } from '../contract/client.contract.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

describeClient('a directory', {
  open: () => openClient({ directory: join(temporaryDirectory(), '.klog'), create: true }),
});
