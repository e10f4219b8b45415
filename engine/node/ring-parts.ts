/** The parts of one ring node, and which of them work with which. Nothing else of the engine creates them. */

import { NodeContext } from '../host/node-context.ts';
import type { RingHost } from '../host/ring-host.ts';
import type { RingNodeOptions } from '../host/ring-options.ts';
import { DaemonMembership } from '../membership/daemon-membership.ts';
import { IncarnationProofs } from '../membership/incarnation-proofs.ts';
import { IncarnationRefusals } from '../membership/incarnation-refusals.ts';
import { Incarnations } from '../membership/incarnations.ts';
import { Installer } from '../membership/installer.ts';
import { MergingRings } from '../membership/merging.ts';
import { Emitter } from '../ring/emitter.ts';
import { FlowControl } from '../ring/flow-control.ts';
import { Ordering } from '../ring/ordering.ts';
import { PacketDelivery } from '../ring/packet-delivery.ts';
import { type StoreSize, storeSize } from '../ring/packet-store.ts';
import { PathSize } from '../ring/path-size.ts';
import { Retransmission } from '../ring/retransmission.ts';
import { SingleRing } from '../ring/single-ring.ts';
import { TokenDesk } from '../ring/token-desk.ts';
import { TokenLink } from '../ring/token-link.ts';
import { DATA_HEADER_LENGTH } from '../wire/layout/data-packet.ts';
import { PauseWatch } from './pause-watch.ts';

export interface RingParts {
  readonly context: NodeContext;
  readonly emitter: Emitter;
  readonly single: SingleRing;
  readonly size: StoreSize;
  readonly installer: Installer;
  readonly ordering: Ordering;
  readonly flow: FlowControl;
  readonly link: TokenLink;
  readonly desk: TokenDesk;
  readonly merging: MergingRings;
  readonly paths: PathSize;
  readonly membership: DaemonMembership;
  readonly incarnations: Incarnations;
  readonly proofs: IncarnationProofs;
  readonly refusals: IncarnationRefusals;
  readonly pauses: PauseWatch;
}

export function createRingParts(options: RingNodeOptions, host: RingHost): RingParts {
  const context = new NodeContext(options, host);
  const emitter = new Emitter(context);
  const slotBytes = context.largestDatagramBytes - DATA_HEADER_LENGTH;
  const size = storeSize(options.windows.window, slotBytes);
  const delivery = new PacketDelivery(context);
  const flow = new FlowControl(options.windows);
  const retransmission = new Retransmission(context, emitter);
  const link = new TokenLink(context, emitter);
  const paths = new PathSize(context, emitter);
  const desk = new TokenDesk(context, link);
  const incarnations = new Incarnations(context);
  const refusals = new IncarnationRefusals(context, emitter, incarnations);
  const merging = new MergingRings(context, emitter, incarnations);
  const single = new SingleRing(options.self, host, context.counters);
  const installer = new Installer(context, delivery, single, size, slotBytes);
  const { store } = installer;
  const ordering = new Ordering(context, { emitter, delivery, retransmission, flow, link, paths, store, size });
  const membership = new DaemonMembership(context, emitter, {
    ordering,
    link,
    desk,
    size,
    installer,
    incarnations,
    merging,
    paths,
    retransmission,
    flow,
  });
  merging.attach(membership);
  const proofs = new IncarnationProofs(context, emitter);
  const pauses = new PauseWatch(context);
  return {
    context,
    emitter,
    single,
    size,
    installer,
    ordering,
    flow,
    link,
    desk,
    merging,
    paths,
    membership,
    incarnations,
    proofs,
    refusals,
    pauses,
  };
}
