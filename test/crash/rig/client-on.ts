import type { ClientSeams } from '../../../src/clients/local/client-seams.js';
import { systemSeams } from '../../../src/clients/local/client-seams.js';
import { LocalClient } from '../../../src/clients/local/local-client.js';
import { Groups } from '../../../src/groups/groups.js';
import type { Store } from '../../../src/store/store.js';

/** A client as `openClient` makes it, on a store that was opened otherwise. */
export function clientOn(store: Store, seams: ClientSeams = systemSeams): LocalClient {
  return new LocalClient(store, seams, store.directory.warnings, async () => new Groups(store, seams));
}
