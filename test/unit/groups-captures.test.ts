import { describe, expect, it } from 'vitest';
import { GroupsLayer } from '../../engine/groups/groups-layer.ts';
import { nodeIndex } from '../../engine/wire/ids.ts';
import { JOIN_MESS, KILL_MESS, LEAVE_MESS } from '../../engine/wire/service.ts';
import {
  type Connection,
  configuration,
  Daemons,
  deliver,
  disconnectRecord,
  frameType,
  groupOfRequest,
  joinRecord,
  LOOPBACK,
  leaveRecord,
  membershipFrames,
  type OrderedRecord,
  RecordingOutput,
  readCapture,
} from './groups-fixtures.ts';

/** Time stamp of the daemon membership in the recordings of one daemon. */
const RECORDED_TIME = 0x6b04_1dc1;

interface TimedRecord {
  readonly timeMs: number;
  readonly record: OrderedRecord;
}

/** The joins, leaves and disconnects of the recorded clients, as records in the order they reached the daemon. */
function requests(connections: readonly Connection[], nodeOf: (name: string) => number): TimedRecord[] {
  const events: TimedRecord[] = [];
  connections.forEach(({ name, sent, wantsMembership, closedMs }, session) => {
    const origin = nodeOf(name);
    let isEnded = false;
    for (const { timeMs, bytes } of sent) {
      const type = frameType(bytes);
      const group = groupOfRequest(bytes);
      if (type === JOIN_MESS)
        events.push({ timeMs, record: joinRecord(origin, session, group, name, wantsMembership) });
      if (type === LEAVE_MESS) events.push({ timeMs, record: leaveRecord(origin, session, group, name) });
      if (type !== KILL_MESS) continue;
      events.push({ timeMs, record: disconnectRecord(origin, session, name) });
      isEnded = true;
    }
    if (!isEnded) events.push({ timeMs: closedMs, record: disconnectRecord(origin, session, name) });
  });
  return events.sort((a, b) => a.timeMs - b.timeMs);
}

const watching = (connections: readonly Connection[]): number[] =>
  connections.flatMap((connection, session) => (connection.wantsMembership ? [session] : []));

describe('recorded traces of one daemon', () => {
  const scenarios: readonly (readonly [string, readonly string[], number])[] = [
    ['01', ['01-connect-membership-quit'], 0],
    ['02', ['02-connect-no-membership'], 0],
    ['03', ['03-connect-random-name'], 0],
    ['04', ['04-name-collision.first'], 0],
    ['05', ['05-join-leave-disconnect.alice', '05-join-leave-disconnect.bob'], 9],
    ['06', ['06-abrupt-close.alice', '06-abrupt-close.bob'], 4],
    ['07', ['07-services.sender', '07-services.receiver'], 1],
    ['08', ['08-self-discard.alice', '08-self-discard.bob'], 4],
    ['10', ['10-private-send.alice', '10-private-send.bob'], 0],
    ['11', ['11-scatter.alice'], 1],
    ['12', ['12-open-group.sender', '12-open-group.member'], 1],
    ['14', ['14-large.alice'], 1],
    ['20', ['20-flush.alice', '20-flush.bob'], 4],
  ];

  it.each(scenarios)('%s: every membership frame, byte for byte', (_name, files, frameCount) => {
    const connections = files.map(readCapture);
    const output = new RecordingOutput(watching(connections));
    const layer = new GroupsLayer({ self: nodeIndex(0), daemonAddress: [LOOPBACK] }, output);
    layer.configurationChanged(configuration('regular', RECORDED_TIME, [0]));
    for (const { record } of requests(connections, () => 0)) deliver(layer, record);

    const recorded = connections.map(({ received }) => membershipFrames(received));
    const written = connections.map((_connection, session) => output.frames(session));
    expect(written).toEqual(recorded);
    expect(recorded.flat()).toHaveLength(frameCount);
    expect(layer.groupCount).toBe(0);
  });
});

describe('recorded trace 16: three daemons, one ends', () => {
  const files = ['16-network.d1-alice', '16-network.d1-zed', '16-network.d2-bob', '16-network.d3-carol'];
  const connections = files.map(readCapture);
  const nodeOf = (name: string): number => Number(name.at(-1)) - 1;
  const [timeOfThree, timeOfTwo] = [0x6b04_1f0a, 0x6b04_1f1e];

  it('gives every client the recorded frames', () => {
    const daemons = new Daemons(3, watching(connections));
    for (const node of [0, 1, 2]) {
      daemons.configure('regular', timeOfThree - 10, [node]);
      daemons.configure('transitional', timeOfThree, [node]);
    }
    daemons.configure('regular', timeOfThree, [0, 1, 2]);
    daemons.exchange([0, 1, 2]);

    const isOfThree = (timed: TimedRecord): boolean => timed.timeMs < connections[3]!.daemonClosedMs;
    const all = requests(connections, nodeOf);
    for (const { record } of all.filter(isOfThree)) daemons.deliver([0, 1, 2], record);
    daemons.configure('transitional', timeOfTwo, [0, 1]);
    daemons.configure('regular', timeOfTwo, [0, 1]);
    for (const timed of all) if (!isOfThree(timed)) daemons.deliver([0, 1], timed.record);

    connections.forEach(({ name, received }, session) => {
      const recorded = membershipFrames(received);
      expect(recorded.length).toBeGreaterThan(3);
      expect(daemons.outputs[nodeOf(name)]!.frames(session), name).toEqual(recorded);
    });
  });
});
