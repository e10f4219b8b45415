/** Bugs in process groups: when a group is looked up, and the exchange of group states. */
import type { Mutant } from './mutant.ts';

const RING = 'engine/ring';
const GROUPS = 'engine/groups';
const SIMULATION = 'test/simulation';

export const GROUP_MUTANTS: readonly Mutant[] = [
  {
    name: 'groups-looked-up-at-send',
    breaks: 'the group table is looked up where a message is delivered (4.2)',
    changes: [
      {
        file: `${SIMULATION}/node/virtual-client.ts`,
        from: '      frames.push(frame);',
        to: '      frames.push(frame);\n      const memory = globalThis as { moment?: number; sentAt?: Map<number, number> };\n      memory.moment = (memory.moment ?? 0) + 1;\n      memory.sentAt ??= new Map();\n      memory.sentAt.set(message, memory.moment);',
      },
      {
        file: 'workers/delivery/log-consumer.ts',
        from: '        if (session !== undefined) this.#names.add(this.#nameHere(), session);',
        to: '        if (session !== undefined) {\n          const memory = globalThis as { moment?: number };\n          memory.moment = (memory.moment ?? 0) + 1;\n          Object.assign(session, { joinedAt: memory.moment });\n          this.#names.add(this.#nameHere(), session);\n        }',
      },
      {
        file: 'workers/delivery/log-consumer.ts',
        from: "    if (session.state !== 'open' || !session.receives) return;",
        to: "    if (session.state !== 'open' || !session.receives) return;\n    const at = termBuffer * this.#log.shape.termBytes + start;\n    if (((session as { joinedAt?: number }).joinedAt ?? 0) > ((globalThis as { sentAt?: Map<number, number> }).sentAt?.get(this.#log.view.getUint32(at + 32, true)) ?? 1e9)) return;",
      },
    ],
    scenarios: ['groups-churn', 'calm'],
    expected: ['GRP-1', 'GRP-8', 'GRP-4'],
  },
  {
    name: 'clients-not-blocked',
    breaks: 'no client data precedes the state exchange (4.5)',
    changes: [
      {
        file: `${GROUPS}/groups-layer.ts`,
        from: 'if (this.currentState !== GroupsState.GatheringTransitional) this.output.blockClients(true);',
        to: '',
      },
    ],
    scenarios: ['groups-exchange-cut', 'merge-3way'],
  },
  {
    name: 'reliable-overtakes-exchange',
    breaks: 'nothing weaker than AGREED is delivered early while tables are exchanged (4.3)',
    changes: [
      {
        file: `${RING}/packet-delivery.ts`,
        from: '|| !host.canDeliverEarly() ',
        to: '',
      },
    ],
    scenarios: ['reliable-early', 'groups-exchange-cut'],
  },
  {
    name: 'exchange-salvaged-without-own-table',
    breaks: 'tables of a cut exchange count only for those whose own arrived in full (4.3)',
    changes: [
      {
        file: `${GROUPS}/groups-layer.ts`,
        from: 'if (isCovered) {\n      this.forget(exchange.unspoken());',
        to: '{\n      this.forget(exchange.unspoken());',
      },
    ],
    scenarios: ['groups-exchange-cut', 'cascade'],
  },
];
