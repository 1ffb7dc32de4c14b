// Emmett's closed loop: what driver.rs is for the others, in the language that Emmett is used from.
// It is given a run as JSON and prints what it measured as JSON; latencies are in microseconds.
import {
  CommandHandler,
  isExpectedVersionConflictError,
} from '@event-driven-io/emmett';
import {
  getPostgreSQLEventStore,
  readMessagesBatch,
} from '@event-driven-io/emmett-postgresql';
import { dumbo } from '@event-driven-io/dumbo';
import pg from 'pg';

const run = JSON.parse(process.argv.at(-1));
const pool = new pg.Pool({ connectionString: run.url, max: run.clients });
const store = getPostgreSQLEventStore(run.url, {
  connectionOptions: { pool },
  // It is migrated once, before anything is loaded.
  schema: { autoMigration: run.kind === 'migrate' ? 'CreateOrUpdate' : 'None' },
});

const name = (number) => `stock-${String(number).padStart(8, '0')}`;
const received = () => ({
  type: run.eventType,
  data: run.payload,
  metadata: run.metadata,
});

const initialState = () => ({ deliveries: 0, onHand: 0, lastDelivery: '' });
const evolve = (state, { data }) => ({
  deliveries: state.deliveries + 1,
  onHand: state.onHand + data.quantity,
  lastDelivery: data.delivery,
});
const receive = (state) => {
  if (!Number.isSafeInteger(state.onHand + run.payload.quantity)) {
    throw new Error('no warehouse holds so much');
  }
  return received();
};
const handle = CommandHandler({ evolve, initialState });

/** Stores one event once. Resolves to what the stream's next append has to expect. */
const attempt = async (stream, expected) => {
  const stored =
    run.kind === 'append'
      ? await store.appendToStream(stream, [received()], { expectedStreamVersion: expected })
      : await handle(store, stream, receive);
  return stored.nextExpectedStreamVersion;
};

/** The streams of a client, in an order that is always the same and follows no index. */
const streamsOf = (client) => {
  if (run.kind === 'hot') return [0];
  const own = [];
  for (let number = client; number < run.streams; number += run.clients) own.push(number);
  let seed = client + 1;
  for (let last = own.length - 1; last > 0; last--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const other = seed % (last + 1);
    [own[last], own[other]] = [own[other], own[last]];
  }
  return own;
};

const measured = { done: 0, conflicts: 0, tookMs: run.seconds * 1000, latenciesUs: [] };

const client = async (number, from, until) => {
  const streams = streamsOf(number).map((stream) => [name(stream), BigInt(run.eventsEach)]);
  for (let turn = 0; ; turn++) {
    const visited = streams[turn % streams.length];
    const begun = performance.now();
    let conflicts = 0;
    for (;;) {
      try {
        visited[1] = await attempt(visited[0], visited[1]);
        break;
      } catch (error) {
        if (!isExpectedVersionConflictError(error)) throw error;
        conflicts += 1;
        if (performance.now() >= until) return;
      }
    }
    const ended = performance.now();
    if (ended >= until) return;
    if (ended >= from) {
      measured.done += 1;
      measured.conflicts += conflicts;
      measured.latenciesUs.push(Math.round((ended - begun) * 1000));
    }
  }
};

/** All clients at once, after a warm-up. */
const closedLoop = async () => {
  const from = performance.now() + run.warmUpMs;
  const until = from + run.seconds * 1000;
  const clients = Array.from({ length: run.clients }, (_, number) => client(number, from, until));
  await Promise.all(clients);
};

/** Page after page, from the beginning again when the end is reached, until the time is over. */
const readPages = async () => {
  const { execute, close } = dumbo({ connectionString: run.url, pool });
  const begun = performance.now();
  let after = 0n;
  while (performance.now() - begun < run.seconds * 1000) {
    const page = await readMessagesBatch(execute, { after, batchSize: run.batchSize });
    measured.done += page.messages.length;
    after = page.areMessagesLeft ? page.currentGlobalPosition : 0n;
  }
  measured.tookMs = performance.now() - begun;
  await close();
};

/** One pass of the consumer from the beginning, as far as it comes in the time. */
const consume = async () => {
  const consumer = store.consumer({
    pulling: { batchSize: run.batchSize },
    stopWhen: { noMessagesLeft: true },
  });
  const begun = performance.now();
  const isOver = () => performance.now() - begun >= run.seconds * 1000;
  consumer.reactor({
    processorId: 'peers',
    startFrom: 'BEGINNING',
    stopAfter: isOver,
    eachMessage: () => {
      measured.done += 1;
    },
  });
  await consumer.start();
  measured.tookMs = performance.now() - begun;
  await consumer.close();
};

const kinds = {
  migrate: () => store.schema.migrate(),
  append: closedLoop,
  command: closedLoop,
  hot: closedLoop,
  read: readPages,
  consume,
};

await kinds[run.kind]();
await store.close();
await pool.end();
console.log(JSON.stringify(measured));
