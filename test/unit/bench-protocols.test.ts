/** The generator's hand-encoded protocols: the bytes they send, and input that may be cut anywhere. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageCycle } from '../../bench/load/message-cycle.ts';
import { makePayload, PAYLOAD_DUE, PAYLOAD_GROUP, PAYLOAD_SENDER, PAYLOAD_SEQUENCE } from '../../bench/load/payload.ts';
import type { PayloadSink, ProtocolChoice, ProtocolClient } from '../../bench/load/protocol.ts';
import { createClient } from '../../bench/load/protocols/create-client.ts';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const GROUP = 'bench.1.0';

class Collector implements PayloadSink {
  readonly payloads: Buffer[] = [];

  onPayload(view: DataView, offset: number, lengthBytes: number): void {
    this.payloads.push(Buffer.from(Buffer.from(view.buffer, view.byteOffset + offset, lengthBytes)));
  }
}

/** Feeds `stream` in chunks that end at `cuts`, keeping the unconsumed rest as a connection does; returns what was answered. */
function feed(client: ProtocolClient, stream: Buffer, cuts: readonly number[]): Buffer {
  const answers: Uint8Array[] = [client.takeOutput() ?? new Uint8Array(0)];
  let kept = Buffer.alloc(0);
  let from = 0;
  for (const to of [...cuts, stream.length]) {
    const bytes = Buffer.from(Buffer.concat([kept, stream.subarray(from, to)]));
    from = to;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const consumed = client.consume(bytes, view, 0, bytes.length);
    answers.push(client.takeOutput() ?? new Uint8Array(0));
    kept = Buffer.from(bytes.subarray(consumed));
  }
  expect(kept.length).toBe(0);
  return Buffer.concat(answers);
}

const spreadFrame = (type: number, target: string, payload: Buffer): Buffer => {
  const frame = Buffer.alloc(48 + 32 + payload.length);
  frame.writeUInt32LE((type | 0x8000_0080) >>> 0, 0);
  frame.write('#other#d1', 4);
  frame.writeInt32LE(1, 36);
  frame.writeUInt32LE(0x8000_0080, 40);
  frame.writeInt32LE(payload.length, 44);
  frame.write(target, 48);
  payload.copy(frame, 80);
  return frame;
};

const mqttPublish = (head: number, id: Buffer, payload: Buffer): Buffer => {
  const body = Buffer.concat([latin1(`\0${String.fromCharCode(GROUP.length)}${GROUP}`), id, payload]);
  const length = body.length < 128 ? [body.length] : [(body.length % 128) | 128, body.length >> 7];
  return Buffer.concat([Buffer.from([head, ...length]), body]);
};

const zmtpMessage = (payload: Buffer): Buffer => {
  const body = Buffer.concat([latin1(`${GROUP}\0`), payload]);
  if (body.length < 256) return Buffer.concat([Buffer.from([0, body.length]), body]);
  const head = Buffer.alloc(9);
  head[0] = 2;
  head.writeBigUInt64BE(BigInt(body.length), 1);
  return Buffer.concat([head, body]);
};

const cpgFrame = (content: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(content.length, 0);
  return Buffer.concat([head, content]);
};

interface Case {
  readonly name: string;
  readonly choice: ProtocolChoice;
  /** The server's bytes to a receiver, up to and including `payloads`. */
  stream(payloads: readonly Buffer[]): Buffer;
  /** The bytes that the receiver must send. */
  readonly said: readonly string[];
}

const zmtpGreeting = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]),
  latin1('NULL'),
  Buffer.alloc(48),
]);

const cases: readonly Case[] = [
  {
    name: 'spread',
    choice: { kind: 'spread', options: { service: 'agreed' } },
    stream: (payloads) =>
      Buffer.concat([
        latin1('\x05NULL \x01\x04\x04\x00\x09#recv#d1\x21').subarray(0, 11),
        latin1('#recv#d1!'),
        spreadFrame(16, '#recv#d1!', Buffer.alloc(0)),
        ...payloads.map((payload) => spreadFrame(16, GROUP, payload)),
      ]),
    said: [`\x04\x04\x00\x00\x04recvNULL${'\0'.repeat(86)}`, `${GROUP}\0`],
  },
  {
    name: 'nats',
    choice: { kind: 'nats' },
    stream: (payloads) =>
      Buffer.concat([
        latin1('INFO {"max_payload":1048576}\r\nPONG\r\n'),
        ...payloads.map((payload, i) =>
          Buffer.concat([
            latin1(i === 1 ? 'PING\r\n' : ''),
            latin1(`MSG ${GROUP} 1 ${payload.length}\r\n`),
            payload,
            latin1('\r\n'),
          ]),
        ),
      ]),
    said: ['CONNECT {', `SUB ${GROUP} 1\r\nPING\r\n`, 'PONG\r\n'],
  },
  {
    name: 'redis',
    choice: { kind: 'redis' },
    stream: (payloads) =>
      Buffer.concat([
        latin1(`*3\r\n$9\r\nsubscribe\r\n$${GROUP.length}\r\n${GROUP}\r\n:1\r\n`),
        ...payloads.map((payload) =>
          Buffer.concat([
            latin1(`*3\r\n$7\r\nmessage\r\n$${GROUP.length}\r\n${GROUP}\r\n$${payload.length}\r\n`),
            payload,
            latin1('\r\n'),
          ]),
        ),
      ]),
    said: [`*2\r\n$9\r\nSUBSCRIBE\r\n$${GROUP.length}\r\n${GROUP}\r\n`],
  },
  {
    name: 'mqtt, QoS 0',
    choice: { kind: 'mqtt', options: { qos: 0 } },
    stream: (payloads) =>
      Buffer.concat([
        Buffer.from([0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]),
        ...payloads.map((payload) => mqttPublish(0x30, Buffer.alloc(0), payload)),
      ]),
    said: ['\x10\x10\0\x04MQTT\x04\x02\0\0\0\x04recv', `\x82\x0e\0\x01\0\x09${GROUP}\0`],
  },
  {
    name: 'mqtt, QoS 1',
    choice: { kind: 'mqtt', options: { qos: 1 } },
    stream: (payloads) =>
      Buffer.concat([
        Buffer.from([0x20, 2, 0, 0, 0x90, 3, 0, 1, 1]),
        ...payloads.map((payload, i) => mqttPublish(0x32, Buffer.from([1, i]), payload)),
      ]),
    said: [`\x82\x0e\0\x01\0\x09${GROUP}\x01`, '\x40\x02\x01\x00\x40\x02\x01\x01'],
  },
  {
    name: 'zmtp',
    choice: { kind: 'zmtp' },
    stream: (payloads) =>
      Buffer.concat([
        zmtpGreeting,
        Buffer.from([4, 26]),
        latin1('\x05READY\x0bSocket-Type\0\0\0\x04XPUB'),
        ...payloads.map(zmtpMessage),
      ]),
    said: [`\xff${'\0'.repeat(8)}\x7f\x03\0NULL`, 'Socket-Type\0\0\0\x03SUB', `\x01${GROUP}\0`],
  },
  {
    name: 'cpg',
    choice: { kind: 'cpg' },
    stream: (payloads) => Buffer.concat([cpgFrame(Buffer.alloc(0)), ...payloads.map(cpgFrame)]),
    said: [`\x0a\0\0\0R${GROUP}`],
  },
];

const payloads = fc.array(fc.uint8Array({ minLength: 0, maxLength: 400 }), { minLength: 2, maxLength: 6 });

describe.each(cases)('$name', ({ choice, stream, said }) => {
  it('gives every payload once, in order, wherever the stream is cut', () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(4_000), { maxLength: 12 }), (contents, positions) => {
        const expected = contents.map((content) => Buffer.from(content));
        const bytes = stream(expected);
        const cuts = positions.map((position) => position % bytes.length).sort((a, b) => a - b);
        const sink = new Collector();
        const client = createClient(choice, { name: 'recv', group: GROUP, sink });
        expect(client.ready).toBe(false);
        const answers = feed(client, bytes, cuts).toString('latin1');
        expect(client.ready).toBe(true);
        expect(sink.payloads).toEqual(expected);
        for (const text of said) expect(answers).toContain(text);
      }),
      { numRuns: 60 },
    );
  });

  it('publishes a payload where the frame says it is', () => {
    const client = createClient(choice, { name: 'send', group: null, sink: new Collector() });
    const payload = makePayload(300, 1, 2, 3);
    const frame = client.publishFrame(GROUP, payload, 0);
    expect(Buffer.from(frame.bytes).subarray(frame.payloadOffset, frame.payloadOffset + 300)).toEqual(
      Buffer.from(payload),
    );
    expect(Buffer.from(frame.bytes).includes(GROUP)).toBe(true);
  });
});

describe('cpg senders', () => {
  it('identify themselves, and name the group in each message', () => {
    const client = createClient({ kind: 'cpg' }, { name: 'send', group: null, sink: new Collector() });
    expect(feed(client, cpgFrame(Buffer.alloc(0)), [])).toEqual(latin1('\x01\0\0\0S'));
    expect(client.ready).toBe(true);
    const { bytes } = client.publishFrame(GROUP, latin1('abc'), 0);
    expect(Buffer.from(bytes)).toEqual(cpgFrame(latin1(`\x09${GROUP}abc`)));
  });
});

describe('refusals', () => {
  it.each([
    ['spread', { kind: 'spread', options: { service: 'agreed' } }, '\xfa', 'refused with code -6'],
    ['nats', { kind: 'nats' }, "-ERR 'Unknown Protocol Operation'\r\n", 'Unknown Protocol Operation'],
    ['redis', { kind: 'redis' }, '-ERR unknown command\r\n', 'unknown command'],
    ['mqtt', { kind: 'mqtt', options: { qos: 0 } }, '\x20\x02\x00\x05', 'refused with code 5'],
    ['cpg', { kind: 'cpg' }, '\x03\x00\x00\x00abc', 'not confirmed'],
  ] as const)('%s: the error says what the server said', (_, choice, answer, message) => {
    const client = createClient(choice, { name: 'recv', group: GROUP, sink: new Collector() });
    expect(() => feed(client, latin1(answer), [])).toThrow(message);
  });

  it('a private name above ten bytes is refused before connecting', () => {
    const role = { name: 'elevenchars', group: null, sink: new Collector() };
    expect(() => createClient({ kind: 'spread', options: { service: 'agreed' } }, role)).toThrow('elevenchars');
  });
});

describe('a message cycle', () => {
  it('holds one frame per group when there are more groups than a batch', () => {
    const client = createClient({ kind: 'nats' }, { name: 'send', group: null, sink: new Collector() });
    const groupNames = ['a', 'b', 'c', 'd', 'e'];
    const cycle = new MessageCycle({ client, run: 1, sender: 9, payloadBytes: 32, groupNames, frames: 2 });
    expect([...cycle.groups]).toEqual([0, 1, 2, 3, 4]);
    cycle.setSequence(3, 77);
    cycle.setDue(3, 12.5);
    const frame = Buffer.from(cycle.slice(3, 4));
    const at = frame.indexOf('\r\n') + 2;
    expect(frame.readUInt32LE(at + PAYLOAD_SENDER)).toBe(9);
    expect(frame.readUInt32LE(at + PAYLOAD_GROUP)).toBe(3);
    expect(frame.readUInt32LE(at + PAYLOAD_SEQUENCE)).toBe(77);
    expect(frame.readDoubleLE(at + PAYLOAD_DUE)).toBe(12.5);
    expect(frame.toString('latin1', 0, at)).toBe('PUB d 32\r\n');
  });

  it('refuses payloads that cannot hold its fields', () => {
    expect(() => makePayload(23, 1, 1, 1)).toThrow('23 bytes');
  });
});
