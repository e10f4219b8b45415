/** PROBE, PROBE_ACK and MERGE: two running rings find each other and gather together (ring-protocol.md, 3.4). */

import type { NodeContext } from '../host/node-context.ts';
import type { ControlBody } from '../ring/control-inbox.ts';
import type { Emitter } from '../ring/emitter.ts';
import type { RingMembers } from '../ring/ring-members.ts';
import type { NodeIndex } from '../wire/ids.ts';
import { nodeIndex } from '../wire/ids.ts';
import { BodyWriter } from '../wire/ring-body.ts';
import { FLAG_FORWARDED, PacketType, type RingHeader, type RingId, sameRing } from '../wire/ring-header.ts';
import { encodeProbe, memberOf, type ProbeMessage } from '../wire/ring-membership.ts';
import type { DaemonMembership } from './daemon-membership.ts';
import type { GatherCause } from './gather-phase.ts';
import type { Incarnations } from './incarnations.ts';
import { Probing } from './probing.ts';

export class MergingRings {
  readonly #context: NodeContext;
  readonly #emitter: Emitter;
  readonly #incarnations: Incarnations;
  readonly #probing: Probing;
  readonly #body = new BodyWriter();
  #membership: DaemonMembership | null = null;
  /** The ring this daemon is operational in; null in a change. */
  #ring: RingMembers | null = null;
  #before: RingMembers | null = null;

  constructor(context: NodeContext, emitter: Emitter, incarnations: Incarnations) {
    this.#context = context;
    this.#emitter = emitter;
    this.#incarnations = incarnations;
    this.#probing = new Probing(context);
  }

  /** The state machine that gathers. */
  attach(membership: DaemonMembership): void {
    this.#membership = membership;
  }

  get nextDeadlineMs(): number {
    return this.#probing.nextDeadlineMs;
  }

  get isWilling(): boolean {
    return this.#probing.isWilling;
  }

  /** @param wanted rings that were to come in with this change */
  installed(ring: RingMembers, wanted: readonly RingId[], isFirst: boolean): void {
    const grown = this.#before !== null && ring.members.some(({ node }) => !this.#before!.has(node));
    if (!isFirst) this.#probing.damp(wanted.length > 0 && !grown, grown);
    this.#ring = ring;
    this.#before = ring;
    if (ring.isLeader && ring.size < this.#context.nodeCount) this.#probing.begin(isFirst);
    else this.#probing.stop();
  }

  stop(): void {
    this.#ring = null;
    this.#probing.stop();
  }

  foreignHeard(): void {
    this.#probing.foreignHeard();
  }

  tick(): void {
    const ring = this.#ring;
    if (ring === null) return;
    if (this.#probing.probeDue()) {
      for (let node = 0; node < this.#context.nodeCount; node++) {
        if (!ring.has(node)) this.#send(PacketType.Probe, nodeIndex(node), ring.id, this.#probing.nonce);
      }
    }
    const targets = this.#probing.takeTargets();
    if (targets === null) return;
    for (const target of targets) this.#send(PacketType.Merge, target.leader, target.ring, 0);
    this.#gather({
      merge: targets.map((target) => target.ring),
      expected: targets.flatMap(({ members }) => members),
    });
  }

  /** A daemon did not believe what this one sent so far, and does now: the probe of late was not heard. */
  askedBy(node: NodeIndex): void {
    const ring = this.#ring;
    if (ring === null || !ring.isLeader || ring.has(node)) return;
    this.#send(PacketType.Probe, node, ring.id, this.#probing.nonce);
  }

  /** A PROBE, possibly handed on by a member of this ring, whose origin the header names. */
  probeArrived(header: RingHeader, probe: ProbeMessage, body: ControlBody): void {
    const ring = this.#ring;
    const origin = nodeIndex(header.origin);
    const sender = memberOf(probe.members, origin);
    if (ring === null || sender === undefined || this.#incarnations.isStale(origin, sender.incarnation)) return;
    if (!this.#membership!.acceptsNumber(probe.ring.seq, origin)) return;
    if (ring.has(origin)) {
      // It was started again, or moved on without me.
      const mine = ring.incarnationOf(origin);
      const isNewer = sender.incarnation > mine || (sender.incarnation === mine && probe.ring.seq > ring.id.seq);
      if (isNewer) this.#gather({ merge: [probe.ring], expected: probe.members });
    } else if (!ring.isLeader) {
      if ((header.flags & FLAG_FORWARDED) !== 0) return;
      const bytes = body.bytes.slice(body.offset, body.offset + body.lengthBytes);
      this.#emitter.forward(header, probe.ring, bytes, bytes.length, ring.leader);
    } else if (this.#probing.isWilling && !this.#membership!.isIgnored(origin)) {
      this.#send(PacketType.ProbeAck, origin, probe.ring, probe.nonce);
    }
  }

  ackArrived(origin: NodeIndex, answer: ProbeMessage): void {
    const ring = this.#ring;
    if (ring === null || !ring.isLeader || !sameRing(answer.target, ring.id)) return;
    if (!this.#membership!.acceptsNumber(answer.ring.seq, origin)) return;
    if (ring.has(origin) || this.#membership!.isIgnored(origin)) return;
    this.#probing.answered(origin, answer, ring, this.#context.nodeCount - ring.size);
    this.tick();
  }

  mergeArrived(origin: NodeIndex, merge: ProbeMessage): void {
    const ring = this.#ring;
    if (ring === null || !ring.isLeader || !sameRing(merge.target, ring.id) || ring.has(origin)) return;
    if (!this.#membership!.acceptsNumber(merge.ring.seq, origin)) return;
    if (this.#probing.isWilling) this.#gather({ merge: [merge.ring], expected: merge.members });
  }

  #gather(cause: GatherCause): void {
    this.#membership!.enterGather(cause);
  }

  #send(
    type: typeof PacketType.Probe | typeof PacketType.ProbeAck | typeof PacketType.Merge,
    to: NodeIndex,
    target: RingId,
    nonce: number,
  ): void {
    const ring = this.#ring!;
    this.#body.reset();
    encodeProbe(this.#body, this.#context.options.clusterHash, { ring: ring.id, target, members: ring.members, nonce });
    this.#emitter.control(type, 0, ring.id, this.#body.bytes, this.#body.lengthBytes, to);
  }
}
