import { join } from 'node:path';
import { openClient } from '../../src/clients/local/open-client.js';
import { describeClient } from '../contract/client.contract.js';
import { describeGroups } from '../contract/groups.contract.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const open = () => openClient({ directory: join(temporaryDirectory(), '.klog'), create: true });

describeClient('a directory', { open });
describeGroups('a directory', { open });
