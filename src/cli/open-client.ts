import type { Client } from '../clients/client.js';
import { KlogError } from '../errors.js';
import type { CliContext } from './cli-context.js';
import type { GlobalOptions } from './global-options.js';
import { type DirectoryLocation, resolveDirectory } from './resolve-directory.js';
import { nearestName } from './suggestions.js';

export interface ClientRequest {
  /** Makes the directory if it is missing. Default false: then a command that names topics fails, exit code 4. */
  readonly create?: boolean;
  /** The topics the command names, for what is said when there is no directory. */
  readonly topics: readonly string[];
}

/** Opens the home of the topics, hands it to `use`, and closes it whatever happens. */
export async function withClient<T>(
  options: GlobalOptions,
  context: CliContext,
  request: ClientRequest,
  use: (client: Client, location: DirectoryLocation) => Promise<T>,
): Promise<T> {
  const location = await resolveDirectory(options, context);
  const create = request.create ?? false;
  if (!location.exists && !create) throw missingDirectory(location, request.topics[0]);
  const client = await context.openClient({ directory: location.directory, create });
  let result: T;
  try {
    result = await use(client, location);
  } catch (error) {
    const explained = await suggestTopic(error, client);
    // The failure of the work is what the user has to know, not that closing failed after it.
    await client.close().catch(() => {});
    throw explained;
  }
  await client.close();
  return result;
}

function missingDirectory(location: DirectoryLocation, topic: string | undefined): KlogError {
  const where = `there is no log at ${location.directory}`;
  if (topic === undefined) return new KlogError('KLOG_NOT_FOUND', where);
  return new KlogError('UNKNOWN_TOPIC_OR_PARTITION', `unknown topic '${topic}': ${where}`, {
    topic,
    hint: 'Produce to it, or name another directory with -d',
  });
}

/** Adds the nearest name to the error of an unknown topic. */
export async function suggestTopic(error: unknown, client: Client): Promise<unknown> {
  if (!(error instanceof KlogError) || error.code !== 'UNKNOWN_TOPIC_OR_PARTITION' || error.hint !== undefined)
    return error;
  const { topic, partition } = error.place;
  if (topic === undefined || partition !== undefined) return error;
  const listings = await client
    .admin()
    .listTopics({ internal: true })
    .catch(() => []);
  const nearest = nearestName(
    topic,
    listings.map((listing) => listing.topic),
  );
  if (nearest === undefined || nearest === topic) return error;
  return new KlogError(error.code, error.message, { ...error.place, cause: error, hint: `Did you mean '${nearest}'?` });
}
