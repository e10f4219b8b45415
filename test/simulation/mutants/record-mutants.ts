/** Checks of ordered records left out, one at a time: what a faulty member puts into the order then reaches groups, log and clients. */
import type { Mutant } from './mutant.ts';

const CHECK = 'engine/wire/record-check.ts';
const SCENARIOS = ['forged-records'];

const without = (
  name: string,
  breaks: string,
  from: string,
  to: string,
  file = CHECK,
  scenarios = SCENARIOS,
): Mutant => ({
  name: `records-${name}-unchecked`,
  breaks,
  changes: [{ file, from, to }],
  scenarios,
});

const TABLES = ['forged-tables'];
const EXCHANGE = 'engine/groups/state-exchange.ts';

export const RECORD_MUTANTS: readonly Mutant[] = [
  without(
    'next-speaker',
    'when a table is refused, the next daemon of the set sends (4.3)',
    'if (this.isSending || exchange.speaker() !== this.self) return;',
    'if (this.isSending || exchange.speaker() !== this.self || this.synced[0] !== this.self) return;',
    'engine/groups/groups-layer.ts',
    TABLES,
  ),
  without(
    'refused-sender',
    'an exchange does not wait for who was refused and has nobody to speak for it (4.3)',
    'if (!this.covered.has(node) && !this.refused.has(node)) return false;',
    'if (!this.covered.has(node)) return false;',
    EXCHANGE,
    TABLES,
  ),
  without(
    'dropped-part',
    'a part that is dropped before it comes to the exchange spoils its series (4.3)',
    'if (kind === RecordKind.Groups) this.groups.groupsRefused(origin);',
    '',
    'workers/ring/ordered-records.ts',
  ),
  without(
    'overlap',
    'one table speaks for a daemon (4.3)',
    "if (nodes.some((node) => this.covered.has(node))) return 'overlaps';",
    '',
    EXCHANGE,
    TABLES,
  ),
  without(
    'split-set',
    'groups that several tables told of are changed (4.3)',
    'if (ofOwn.length > 1) table.flagSplit(tableOfNode(tables));',
    'void tableOfNode;',
    'engine/groups/table-merge.ts',
    TABLES,
  ),
  without(
    'at-all',
    'ordered records are checked before groups and log',
    'const fault = isOwn ? RecordFault.None : recordFault(bytes, view, at, daemon);',
    'const fault = RecordFault.None as RecordFault; void daemon;',
    'workers/ring/ordered-records.ts',
  ),
  without(
    'group-count',
    'a frame has 0 to 100 groups',
    'if (groups < 0 || groups > MAX_GROUPS_PER_MESSAGE) return RecordFault.FrameTargets;',
    'if (groups !== 1) return RecordFault.None;',
  ),
  without(
    'group-name',
    'groups that are joined have names',
    'if (!isGroupNameField(bytes, at + JOIN_RECORD_GROUP_OFFSET)) return RecordFault.GroupName;',
    '',
  ),
  without(
    'member-name',
    'who joins is a client of the daemon that says so',
    'return isPrivateNameOf(bytes, at + JOIN_RECORD_MEMBER_OFFSET, daemon) ? RecordFault.None : RecordFault.MemberName;',
    'return RecordFault.None;',
  ),
  without(
    'sender',
    'senders are clients of the daemon that says so',
    'if (!isPrivateNameOf(bytes, first + FRAME_SENDER_OFFSET, daemon)) return RecordFault.FrameSender;',
    '',
  ),
  without(
    'frame-type',
    'frames have a type that a client may send',
    'if ((type & FORBIDDEN_CLIENT_BITS) !== 0) return RecordFault.FrameType;',
    '',
  ),
  without(
    'frame-length',
    'frames end where their run does',
    'if (dataLength < 0 || dataLength > room)',
    'if (dataLength < 0 && room > 0)',
  ),
  without(
    'frame-count',
    'a run has as many frames as it says',
    'if (frames !== view.getUint32(record + RECORD_FRAME_COUNT_OFFSET, true)) return RecordFault.FrameCount;',
    '',
  ),
  without(
    'target-hash',
    'a run goes to whom its frames name',
    'return view.getInt32(record + RECORD_TARGET_HASH_OFFSET, true) === hash ? RecordFault.None : RecordFault.TargetHash;',
    'return hash === 0 ? RecordFault.None : RecordFault.None;',
  ),
];
