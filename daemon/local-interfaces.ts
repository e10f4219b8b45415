/** The IPv4 addresses of this machine, with the MTU of their interfaces where the system provides it (Linux). */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import type { LocalInterface } from '../engine/config/address-warnings.ts';

export function localInterfaces(): readonly LocalInterface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? [])
      .filter(({ family }) => family === 'IPv4')
      .map(({ address, netmask, internal }) => ({
        name,
        address,
        netmask,
        isInternal: internal,
        mtuBytes: mtuOf(name),
      })),
  );
}

function mtuOf(name: string): number | null {
  try {
    // An alias such as eth0:1 has the MTU of its device.
    const text = readFileSync(`/sys/class/net/${name.split(':', 1)[0]}/mtu`, 'latin1').trim();
    return /^\d{1,9}$/.test(text) ? Number(text) : null;
  } catch {
    return null;
  }
}
