import { describe, expect, it } from 'vitest';
import type { NodeContext } from '../../engine/host/node-context.ts';
import { GreetingEffect, IncarnationProofs } from '../../engine/membership/incarnation-proofs.ts';
import type { Emitter } from '../../engine/ring/emitter.ts';
import { decodeGreeting, encodeGreeting, type Greeting } from '../../engine/seal/greeting.ts';
import { PeerIncarnations } from '../../engine/seal/peer-incarnations.ts';
import type { SealedIncarnations } from '../../engine/seal/sealed-incarnations.ts';
import { incarnation, nodeIndex } from '../../engine/wire/ids.ts';
import { GREETING_LENGTH } from '../../engine/wire/layout/greeting-packet.ts';
import { RING_HEADER_LENGTH } from '../../engine/wire/layout/ring-header.ts';
import { RingHeader } from '../../engine/wire/ring-header.ts';
import { LAN } from './ring-cluster.ts';

const SELF = 0;
const PEER = 2;
const RUN = 77;
const SALT = new Uint8Array(16).fill(9);
const OTHER_SALT = new Uint8Array(16).fill(8);
const NONCE = new Uint8Array(16).fill(5);
/** How long a question is valid. */
const GOOD_FOR_MS = 4 * LAN.tokenLossMs;

/** The proofs of node 0 among four, with its sent datagrams and a clock. */
function greeterAt(startMs = 1000) {
  const sent: { readonly to: number; readonly greeting: Greeting }[] = [];
  let drawn = 0;
  const incarnations: SealedIncarnations = {
    salt: new Uint8Array(16).fill(1),
    counter: 41,
    peers: new PeerIncarnations(4),
    draw: (length) => new Uint8Array(length).fill(++drawn),
  };
  const context = {
    self: nodeIndex(SELF),
    nodeCount: 4,
    nowMs: startMs,
    options: { timeouts: LAN },
    sealer: { incarnations },
  } as unknown as NodeContext;
  const emitter = {
    greeting: (body: Uint8Array, to: number) => sent.push({ to, greeting: decoded(body) }),
  } as unknown as Emitter;
  const proofs = new IncarnationProofs(context, emitter);
  return {
    proofs,
    sent,
    context,
    peers: incarnations.peers,
    /** Advances the clock and runs what is due. */
    pass(ms: number): void {
      for (const endMs = context.nowMs + ms; context.nowMs < endMs; ) {
        context.nowMs = Math.min(endMs, Math.max(context.nowMs + 0.5, proofs.nextDeadlineMs));
        proofs.tick();
      }
    },
    /** A greeting of the peer. */
    comes(change: Partial<Greeting>, run = RUN): GreetingEffect {
      const body = encodeGreeting({ salt: SALT, counter: 100, asks: null, answers: null, ...change });
      const bytes = new Uint8Array(GREETING_LENGTH);
      bytes.set(body, RING_HEADER_LENGTH);
      const header = new RingHeader();
      header.relay = PEER;
      header.incarnation = run;
      return proofs.arrived(header, bytes, 0, bytes.length);
    },
  };
}

function decoded(body: Uint8Array): Greeting {
  const bytes = new Uint8Array(RING_HEADER_LENGTH + body.length);
  bytes.set(body, RING_HEADER_LENGTH);
  return decodeGreeting(bytes, 0, bytes.length)!;
}

const member = (node: number) => ({ node: nodeIndex(node), incarnation: incarnation(1) });

describe('asking', () => {
  it('happens at once, and again until it is answered or given up', () => {
    const { proofs, sent, pass } = greeterAt();
    proofs.unknownHeard(PEER);
    expect(sent).toMatchObject([{ to: PEER, greeting: { counter: 41, answers: null } }]);
    pass(10_000);
    expect(sent.length).toBe(5);
    expect(new Set(sent.map(({ greeting }) => greeting.asks!.join())).size).toBe(1);
    expect(proofs.nextDeadlineMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('ends with the answer', () => {
    const { proofs, sent, pass, comes, peers } = greeterAt();
    proofs.unknownHeard(PEER);
    expect(comes({ answers: sent[0]!.greeting.asks })).toBe(GreetingEffect.None);
    expect(peers.isProven(PEER, RUN, SALT)).toBe(true);
    pass(10_000);
    expect(sent.length).toBe(1);
  });

  it('is bounded whatever strangers send', () => {
    const { proofs, sent, pass } = greeterAt();
    for (let ms = 0; ms < 3000; ms++) {
      for (let i = 0; i < 20; i++) proofs.unknownHeard(PEER);
      pass(1);
    }
    expect(sent.length).toBeLessThanOrEqual(3000 / LAN.joinEveryMs + 2);
  });

  it('addresses each daemon separately', () => {
    const { proofs, sent } = greeterAt();
    for (const node of [1, 2, 3]) proofs.unknownHeard(node);
    expect(sent.map(({ to }) => to)).toEqual([1, 2, 3]);
    expect(new Set(sent.map(({ greeting }) => greeting.asks!.join())).size).toBe(3);
  });
});

describe('answers', () => {
  it('prove nothing without a question, to another question, or too late', () => {
    const { proofs, sent, comes, peers, context } = greeterAt();
    comes({ answers: NONCE });
    proofs.unknownHeard(PEER);
    comes({ answers: NONCE });
    comes({ answers: new Uint8Array(16) });
    expect(peers.isProven(PEER, RUN, SALT)).toBe(false);
    context.nowMs += GOOD_FOR_MS;
    comes({ answers: sent[0]!.greeting.asks });
    expect(peers.isProven(PEER, RUN, SALT)).toBe(false);
    proofs.unknownHeard(PEER);
    expect(sent[1]!.greeting.asks).not.toEqual(sent[0]!.greeting.asks);
    comes({ answers: sent[1]!.greeting.asks });
    expect(peers.isProven(PEER, RUN, SALT)).toBe(true);
  });

  it('of an earlier incarnation prove nothing once a later one has answered', () => {
    const { proofs, sent, comes, peers } = greeterAt();
    proofs.unknownHeard(PEER);
    const { asks } = sent[0]!.greeting;
    comes({ answers: asks });
    proofs.unknownHeard(PEER);
    const again = sent.at(-1)!.greeting.asks;
    comes({ answers: again, salt: OTHER_SALT }, RUN + 1);
    for (const answers of [asks, again]) comes({ answers });
    expect(peers.isProven(PEER, RUN, SALT)).toBe(false);
    expect(peers.isProven(PEER, RUN + 1, OTHER_SALT)).toBe(true);
  });

  it('of two machines with one id are both valid', () => {
    const { proofs, sent, comes, peers, pass } = greeterAt();
    for (let i = 0; i < 3; i++) {
      proofs.unknownHeard(PEER);
      pass(LAN.joinEveryMs);
      const { asks } = sent.at(-1)!.greeting;
      comes({ answers: asks, salt: OTHER_SALT }, RUN + 1);
      comes({ answers: asks });
    }
    expect(peers.isProven(PEER, RUN, SALT)).toBe(true);
    expect(peers.isProven(PEER, RUN + 1, OTHER_SALT)).toBe(true);
  });
});

describe('being asked', () => {
  it('makes this daemon answer, and ask back while the other is not proven', () => {
    const { sent, comes } = greeterAt();
    expect(comes({ asks: NONCE })).toBe(GreetingEffect.Asked);
    expect(sent).toMatchObject([{ to: PEER, greeting: { answers: NONCE } }]);
    comes({ answers: sent[0]!.greeting.asks, asks: NONCE });
    expect(sent[1]!.greeting).toMatchObject({ answers: NONCE, asks: null });
  });

  it('makes this daemon resend what was not heard, at a bounded rate', () => {
    const { comes, context } = greeterAt();
    let asked = 0;
    for (let i = 0; i < 1000; i++) {
      if (comes({ asks: NONCE }) === GreetingEffect.Asked) asked++;
      context.nowMs += 0.1;
    }
    expect(asked).toBeLessThanOrEqual(21);
  });

  it('is refused when the question is malformed', () => {
    const { comes, sent } = greeterAt();
    expect(comes({})).toBe(GreetingEffect.Malformed);
    expect(sent).toEqual([]);
  });
});

describe('proofs', () => {
  function proven(startMs = 1000) {
    const all = greeterAt(startMs);
    all.proofs.unknownHeard(PEER);
    all.comes({ answers: all.sent[0]!.greeting.asks });
    return { ...all, isProven: () => all.peers.isProven(PEER, RUN, SALT) };
  }

  it('end when the daemon is lost', () => {
    const { proofs, isProven, sent, comes } = proven();
    proofs.installed([member(SELF), member(PEER)]);
    expect(isProven()).toBe(true);
    proofs.installed([member(SELF)]);
    expect(isProven()).toBe(false);
    comes({ answers: sent[0]!.greeting.asks });
    expect(isProven()).toBe(false);
  });

  it('are valid for members as long as they are members, for others for three idle probe periods', () => {
    const { proofs, isProven, context } = proven();
    proofs.installed([member(SELF), member(PEER)]);
    context.nowMs += 100 * LAN.probeIdleMs;
    proofs.before(PEER);
    expect(isProven()).toBe(true);

    const other = proven();
    other.context.nowMs += 3 * LAN.probeIdleMs;
    other.proofs.before(PEER);
    expect(other.isProven()).toBe(true);
    other.context.nowMs += 1;
    other.proofs.before(PEER);
    expect(other.isProven()).toBe(false);
  });

  it('can be given again after that', () => {
    const { proofs, isProven, context, sent, comes } = proven();
    context.nowMs += 4 * LAN.probeIdleMs;
    proofs.before(PEER);
    proofs.unknownHeard(PEER);
    proofs.before(PEER);
    comes({ answers: sent.at(-1)!.greeting.asks });
    proofs.before(PEER);
    expect(isProven()).toBe(true);
  });

  it('are requested again when a key is removed, and stay valid meanwhile', () => {
    const { proofs, peers, isProven, sent, pass, comes } = proven();
    pass(LAN.joinEveryMs);
    proofs.keysChanged();
    expect(sent.length).toBe(1);
    peers.keysChanged(true);
    proofs.keysChanged();
    expect(sent.length).toBe(2);
    expect(isProven()).toBe(true);
    comes({ answers: sent[1]!.greeting.asks });
    expect(peers.hasDoubted(PEER)).toBe(false);
  });

  it('ignore nodes that do not exist', () => {
    const { proofs } = proven();
    expect(() => proofs.before(0xffff)).not.toThrow();
  });
});
