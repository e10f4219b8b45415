import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveConfiguration } from '../../daemon/options-resolve.ts';
import type { OptionKey } from '../../engine/config/configuration-options.ts';
import { keywordOf, OPTION_KEYS } from '../../engine/config/option-catalogue.ts';
import { completeOptions } from '../../engine/config/option-rules.ts';
import { parseConfig } from '../../engine/config/parse-config.ts';
import { type DrawnOption, type DrawnOptions, drawnOptions, valuesOf } from './support/drawn-options.ts';

// ---- what a configuration says, drawn at random -----------------------------------------------------------------

interface InterfaceModel {
  readonly uses: readonly ('C' | 'D' | 'M')[];
  readonly address: string;
}
interface HostModel {
  readonly name: string;
  readonly address: string;
  readonly interfaces: readonly InterfaceModel[] | null;
}
interface SegmentModel {
  readonly address: string;
  readonly port: number | null;
  readonly hosts: readonly HostModel[];
}

const octet = fc.nat({ max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join('.'));
const notLoopback = ipv4.filter((address) => !address.startsWith('127.'));

const NAME_CHARACTERS = [...'!$%&()*+,-./0123456789:;<=>?@ABCDMN[]^_`abcdefghijklmnopqrstuvwxyz|~{}\'"'];
const hostName = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(...NAME_CHARACTERS), minLength: 1, maxLength: 19 }),
    fc.constantFrom('C', 'D', 'M', 'on', 'INFO', 'Window', 'Spread_Segment', 'RouteMatrix', '127.0.0.1', '42', '='),
  )
  .filter((name) => !(name.includes('"') && name.includes("'"))); // strings have no escapes

const iface: fc.Arbitrary<InterfaceModel> = fc.record({
  uses: fc.uniqueArray(fc.constantFrom('C', 'D', 'M')),
  address: ipv4,
});

const segments: fc.Arbitrary<readonly SegmentModel[]> = fc
  .uniqueArray(hostName, { minLength: 1, maxLength: 12 })
  .chain((names) =>
    fc.tuple(
      fc.tuple(
        ...names.map((name) =>
          fc.record({
            name: fc.constant(name),
            address: ipv4,
            interfaces: fc.option(fc.array(iface, { minLength: 1, maxLength: 10 })),
          }),
        ),
      ),
      fc.array(
        fc.record({
          address: notLoopback,
          port: fc.option(fc.integer({ min: 1, max: 65_534 })),
          share: fc.nat({ max: 4 }),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    ),
  )
  .map(([hosts, frames]) => {
    let next = 0;
    return frames.map(({ address, port, share }, i) => {
      const count = i === frames.length - 1 ? hosts.length - next : Math.min(share, hosts.length - next);
      next += count;
      return { address, port, hosts: hosts.slice(next - count, next) };
    });
  });

/** A segment's address and the transport of all segments must agree. */
const usable = (segmentModels: readonly SegmentModel[], drawn: DrawnOptions): DrawnOptions => {
  const { transport, ...others } = drawn;
  const isMulticast = ({ address }: SegmentModel): boolean => /^2(2[4-9]|3\d)\./.test(address);
  const fits =
    transport?.value === 'unicast' ||
    segmentModels.every((segment) => isMulticast(segment) === (transport?.value === 'multicast'));
  return fits ? drawn : others;
};

// ---- the same as text, with every freedom the grammar leaves ------------------------------------------------------

/** Draws lawful blanks and comments, forever. */
type Blanks = (atLeastOne: boolean) => string;

function blanksFrom(choices: readonly string[]): Blanks {
  let next = 0;
  return (atLeastOne) => {
    const blank = choices[next++ % choices.length]!;
    return blank === '' && atLeastOne ? ' ' : blank;
  };
}

const blank = fc
  .array(
    fc.oneof(
      fc.constantFrom(' ', '\t', '\n', '\r\n'),
      fc.constantFrom('#\n', '# } Window = 5 "\n', '#Spread_Segment {\n', "#'\n"),
    ),
    { maxLength: 3 },
  )
  .map((parts) => parts.join(''));
const blanks = fc.array(blank, { minLength: 8, maxLength: 40 });

const BARE = /^[^\s#{}"'][^\s#{}]*$/;
const NO_BARE_NAME =
  /^(-?\d+|[\d.:]+|;|[0-9A-Fa-f]*:[0-9A-Fa-f]*:.*|\[[0-9A-Fa-f]*:[0-9A-Fa-f]*:.*|=.*|Spread_Segment|RouteMatrix|[A-Za-z_]\w*=.*)$/;

/** A name or text: quoted when it must be, and sometimes when it need not. */
function word(value: string, quoteAnyway: boolean): string {
  const mayBeBare = BARE.test(value) && !NO_BARE_NAME.test(value);
  if (mayBeBare && !quoteAnyway) return value;
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

function printSegment(segment: SegmentModel, gap: Blanks): string {
  const hosts = segment.hosts.map(({ name, address, interfaces }, i) => {
    const block = interfaces?.map((entry) => [...entry.uses, entry.address].join(gap(true)) + gap(true)).join('');
    const interfaceBlock = block === undefined ? '' : `${gap(false)}{${gap(false)}${block}}`;
    return `${word(name, i % 2 === 0)}${gap(true)}${address}${interfaceBlock}${gap(true)}`;
  });
  const port = segment.port === null ? '' : `:${segment.port}`;
  return `Spread_Segment${gap(true)}${segment.address}${port}${gap(false)}{${gap(false)}${hosts.join('')}}${gap(false)}`;
}

function printOption(key: OptionKey, { written }: DrawnOption, gap: Blanks): string {
  const keyword = keywordOf(key);
  const set = (value: string): string => `${gap(true)}${keyword}${gap(false)}=${gap(false)}${value}${gap(true)}`;
  switch (written.form) {
    case 'flag':
      return `${gap(true)}${keyword}${gap(true)}`;
    case 'list':
      return set(`{${written.words.map((flag) => gap(true) + flag).join('')}${gap(true)}}`);
    case 'repeated':
      return written.texts.map((text) => set(word(text, false))).join('');
    case 'word':
      return set(word(written.text, false));
  }
}

// ---- the property -----------------------------------------------------------------------------------------------

describe('a configuration', () => {
  it('printed with any lawful blanks, comments and quotes reads back as itself, with every option there is', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(segments, drawnOptions, blanks, (segmentModels, drawn, choices) => {
        const gap = blanksFrom(choices);
        const options = usable(segmentModels, drawn);
        for (const key of Object.keys(options)) seen.add(key);
        const printedOptions = (Object.keys(options) as OptionKey[]).map((key) => printOption(key, options[key]!, gap));
        const half = printedOptions.length >> 1;
        const conf = [
          ...printedOptions.slice(0, half),
          ...segmentModels.map((segment) => printSegment(segment, gap)),
          ...printedOptions.slice(half),
        ].join('');

        const file = parseConfig(conf, 'generated.conf');
        const { configuration } = resolveConfiguration({}, { file, addressOf: () => null });

        expect(configuration.options).toEqual(completeOptions(valuesOf(options)));
        let node = 0;
        expect(configuration.segments).toEqual(
          segmentModels.map((segment, number) => ({
            address: segment.address,
            port: segment.port ?? 4803,
            hosts: segment.hosts.map((host) => ({
              node: node++,
              name: host.name,
              address: host.address,
              segment: number,
              interfaces: expectedInterfaces(host),
            })),
          })),
        );
      }),
      { numRuns: 200 },
    );
    expect([...seen].sort()).toEqual([...OPTION_KEYS].sort());
  });
});

function expectedInterfaces({ address, interfaces }: HostModel): unknown {
  if (interfaces === null) {
    return [{ address, uses: { clients: true, daemons: true, monitor: true }, implicit: true }];
  }
  return interfaces.map((entry) => {
    const all = entry.uses.length === 0;
    return {
      address: entry.address,
      uses: {
        clients: all || entry.uses.includes('C'),
        daemons: all || entry.uses.includes('D'),
        monitor: all || entry.uses.includes('M'),
      },
      implicit: false,
    };
  });
}
