import { versionOf } from './child.ts';
import type { System } from './system.ts';

/** Named so that its absence is explained: its clients are not sockets. */
export const corosyncSystem: System = {
  id: 'corosync',
  title: 'corosync CPG',
  debianPackage: 'corosync',
  guarantees: {
    order: 'total (agreed only)',
    reliability: 'reliable inside a membership',
    membership: 'views of groups and nodes, extended virtual synchrony',
  },
  configuration: 'not measured',
  async availability() {
    const version = await versionOf('/usr/sbin/corosync', ['-v'], /version '?([\d.]+)/);
    const installed = version === null ? 'not installed' : `${version} is installed`;
    return {
      available: false,
      why: `${installed}; clients reach it through libqb's shared-memory IPC only, which this generator (raw sockets) does not speak`,
    };
  },
  unsuited: () => null,
  protocol: () => {
    throw new Error('corosync CPG has no socket protocol');
  },
  start: () => Promise.reject(new Error('corosync CPG has no socket protocol')),
};
