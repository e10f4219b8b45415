/** Three daemons, each with a publisher and a replica of one log. One daemon is killed and restarted. Exit code 1 when the logs differ. */
import { setTimeout as delay } from 'node:timers/promises';
import { type DaemonName, Daemons, NAMES } from './daemons.ts';
import { LAST_LINE, Publisher } from './publisher.ts';
import { Replica } from './replica.ts';

const WORK_MS = 1500;
const WITHIN_MS = 25_000;
const VICTIM: DaemonName = 'd2';

const startedMs = performance.now();
const say = (line: string): void => {
  console.log(`${((performance.now() - startedMs) / 1000).toFixed(2).padStart(6)}  ${line}`);
};
const tellerOf =
  (name: string) =>
  (line: string): void =>
    say(`${name}  ${line}`);

async function run(daemons: Daemons): Promise<boolean> {
  console.log(`${await daemons.configure()}`);
  await Promise.all(NAMES.map((name) => daemons.start(name)));
  say('three daemons run');
  const replicas = new Map<DaemonName, Replica>();
  const publishers = new Map<DaemonName, Publisher>();
  for (const name of NAMES) replicas.set(name, await Replica.start(daemons.address(name), true, tellerOf(name)));
  const all = (condition: (replica: Replica) => boolean): Promise<unknown> =>
    Promise.all([...replicas.values()].map((replica) => replica.until(() => condition(replica))));

  await all((replica) => replica.members.length === NAMES.length);
  for (const name of NAMES) publishers.set(name, await Publisher.start(daemons.address(name)));
  say('a publisher on each daemon publishes');
  await delay(WORK_MS);

  say(`--- kill -9 ${VICTIM}`);
  await daemons.kill(VICTIM);
  await publishers.get(VICTIM)!.abandon();
  replicas.delete(VICTIM);
  await all((replica) => replica.members.length === NAMES.length - 1);
  await delay(WORK_MS);

  say(`--- start ${VICTIM} again`);
  await daemons.start(VICTIM);
  const reborn = await Replica.start(daemons.address(VICTIM), false, tellerOf(VICTIM));
  replicas.set(VICTIM, reborn);
  await reborn.until(() => reborn.isCurrent);
  publishers.set(VICTIM, await Publisher.start(daemons.address(VICTIM)));
  await delay(WORK_MS);

  await Promise.all([...publishers.values()].map((publisher) => publisher.finish()));
  await all((replica) => NAMES.every((name) => replica.has(`#publisher#${name} ${LAST_LINE}`)));
  say('all publishers are done');
  console.log('\nreplica  entries  SHA-256 of the log');
  for (const name of NAMES)
    console.log(`${name}       ${String(replicas.get(name)!.length).padStart(7)}  ${replicas.get(name)!.hash()}`);
  const hashes = new Set([...replicas.values()].map((replica) => replica.hash()));
  await Promise.all([...publishers.values(), ...replicas.values()].map((client) => client.close()));
  return hashes.size === 1;
}

const daemons = new Daemons();
const overdue = delay(WITHIN_MS, null, { ref: false }).then(() => {
  throw new Error(`not done within ${WITHIN_MS} ms`);
});
try {
  const isIdentical = await Promise.race([run(daemons), overdue]);
  console.log(isIdentical ? '\nthe three logs are identical' : '\nTHE LOGS DIFFER');
  process.exitCode = isIdentical ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await daemons.remove();
}
process.exit();
