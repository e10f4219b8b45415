/**
 * The daemon's side of logins, with its surroundings played by the test: whatever a client sends, in any pieces and at any
 * step, at most a kilobyte is kept, nothing is lost, and reading resumes in its turn.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createSession } from '../../bench/micro/sessions.ts';
import { DeliveryCounter } from '../../engine/buffers/counters.ts';
import { EMPTY_ACCESS_LIST } from '../../engine/config/access-ip.ts';
import { sessionHandle } from '../../engine/wire/ids.ts';
import { RESULT_CODES } from '../../engine/wire/result-codes.ts';
import { type AuthPolicy, ServerHandshake } from '../../engine/wire/server-handshake.ts';
import { Authenticator } from '../../workers/delivery/authenticator.ts';
import { ClientSession } from '../../workers/delivery/client-session.ts';
import { HANDSHAKE_READ_BYTES, Handshakes } from '../../workers/delivery/handshakes.ts';
import { LiveValue } from '../../workers/delivery/live.ts';
import { type Derive, PasswordChecker } from '../../workers/delivery/password-checker.ts';
import { ScramCredentials } from '../../workers/delivery/scram-credentials.ts';
import type { SubmitPort } from '../../workers/delivery/submit-port.ts';
import { authChoice, connectBytes } from '../e2e/support/wire-client.ts';

const MOST_KEPT_BYTES = 1024;
const POLICY: AuthPolicy = { allowed: ['NULL', 'PWORD'], required: [] };
const LOGIN = Buffer.concat([connectBytes('alice', true), authChoice('PWORD'), Buffer.alloc(40, 0x61)]);

class Stage {
  nowMs = 0;
  isRingFull = false;
  readonly counters = new Float64Array(64);
  readonly written: Buffer[] = [];
  readonly refusals: string[] = [];
  readonly session: ClientSession;
  readonly handshakes: Handshakes;
  isRead = true;
  isOpen = false;
  /** What the ring agent was asked, and has not answered. */
  asked: 'check' | 'take' | null = null;
  hash: (() => void) | null = null;

  constructor() {
    const derive: Derive = (_password, _salt, lengthBytes, _options, done) => {
      this.hash = () => done(null, Buffer.alloc(lengthBytes));
    };
    const ask = (what: 'check' | 'take') => (): boolean => {
      if (!this.isRingFull) this.asked = what;
      return !this.isRingFull;
    };
    const port = { checkName: ask('check'), register: ask('take') } as unknown as SubmitPort;
    const settings = new LiveValue({
      handshakeTimeoutMs: 5000,
      maxHandshakes: 10,
      access: EMPTY_ACCESS_LIST,
      passwords: new Map([['a'.repeat(32), { ...NOBODY, user: 'a'.repeat(32) }]]),
      maxWaitingPasswords: 10,
      scram: { entries: new Map(), secret: '' },
    });
    const passwords = new PasswordChecker(settings, this.counters, derive);
    const authenticator = new Authenticator(settings, passwords, new ScramCredentials(settings, this.counters));
    this.handshakes = new Handshakes('d', settings, port, authenticator, this.counters, {
      admit: () => null,
      opened: () => {
        this.isOpen = true;
      },
      refused: (session, bytes, reason) => {
        session.state = 'closed';
        this.written.push(Buffer.from(bytes));
        this.refusals.push(reason);
        this.handshakes.forget(session);
      },
      crowded: () => {},
    });
    const { transport, output } = createSession(0);
    const own = Object.assign(Object.create(transport) as typeof transport, {
      write: (bytes: Uint8Array) => void this.written.push(Buffer.from(bytes)),
      resume: () => {
        this.isRead = true;
      },
      destroy: () => {},
    });
    this.session = new ClientSession(sessionHandle(1), own, output, new ServerHandshake(POLICY));
    this.handshakes.begin(this.session, this.nowMs);
  }

  /** One step of the surroundings, if one is due. */
  serve(): void {
    if (this.hash !== null) {
      const hash = this.hash;
      this.hash = null;
      hash();
    } else if (this.asked !== null) {
      this.asked = null;
      this.handshakes.nameAccepted(this.session);
    } else this.handshakes.poll(this.nowMs);
  }

  get keptBytes(): number {
    return this.session.input.bytes?.length ?? 0;
  }
}

/** Its hash is what the stand-in for scrypt makes of every password. */
const NOBODY = {
  ...{ user: '', cost: 16, blockSize: 8, parallelization: 1 },
  salt: Buffer.alloc(16).toString('base64'),
  hash: Buffer.alloc(32).toString('base64'),
};

/** Each turn of the world: the kernel has so many bytes, or the ring agent, scrypt and the clock come to something. */
const turn = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: HANDSHAKE_READ_BYTES }) },
  { weight: 2, arbitrary: fc.constant('serve' as const) },
  { weight: 1, arbitrary: fc.constantFrom('full' as const, 'room' as const) },
);

it('keeps a kilobyte at most, loses nothing, and resumes reading when allowed', () => {
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 60 }), fc.nat({ max: 20_000 }), (turns, aheadBytes) => {
      const stage = new Stage();
      const stream = Buffer.concat([LOGIN, Buffer.alloc(aheadBytes, 'ahead ')]);
      let sent = 0;
      const read = (length: number): void => {
        if (!stage.isRead || stage.isOpen || sent === stream.length) return;
        const bytes = Buffer.alloc(HANDSHAKE_READ_BYTES);
        const taken = stream.copy(bytes, 0, sent, sent + Math.min(length, HANDSHAKE_READ_BYTES));
        sent += taken;
        if (!stage.handshakes.read(stage.session, bytes, taken)) stage.isRead = false;
        expect(stage.keptBytes).toBeLessThanOrEqual(MOST_KEPT_BYTES);
      };
      for (const one of turns) {
        if (typeof one === 'number') read(one);
        else if (one === 'serve') stage.serve();
        else stage.isRingFull = one === 'full';
      }
      stage.isRingFull = false;
      for (let i = 0; i < 200 && !stage.isOpen; i++) {
        read(HANDSHAKE_READ_BYTES);
        stage.serve();
      }
      expect([stage.isOpen, stage.refusals]).toEqual([true, []]);
      // What was sent ahead is in the input or still in the kernel.
      const { input } = stage.session;
      const kept = input.length === 0 ? Buffer.alloc(0) : input.bytes!.subarray(input.start, input.end);
      expect(Buffer.concat([kept, stream.subarray(sent)]).equals(stream.subarray(LOGIN.length))).toBe(true);
      const answer = Buffer.concat(stage.written).toString('latin1');
      expect(answer).toBe('\u000bNULL PWORD \u0001\u0001\u0004\u0004\u0000\u0008#alice#d');
      expect(stage.counters[DeliveryCounter.HandshakesOpen]).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

it('ends at any step, by any cause, with nothing left behind', () => {
  const ending = fc.constantFrom('hangs up' as const, 'too late' as const, 'name taken' as const);
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 20 }), ending, (turns, end) => {
      const stage = new Stage();
      let sent = 0;
      for (const one of turns) {
        if (one === 'serve') stage.serve();
        else if (one === 'full' || one === 'room') stage.isRingFull = one === 'full';
        else if (stage.isRead && !stage.isOpen && stage.session.state === 'handshake' && sent < LOGIN.length) {
          const bytes = Buffer.alloc(HANDSHAKE_READ_BYTES);
          const taken = LOGIN.copy(bytes, 0, sent, sent + one);
          sent += taken;
          stage.isRead = stage.handshakes.read(stage.session, bytes, taken);
        }
      }
      const { session, handshakes, counters } = stage;
      if (stage.isOpen) return;
      if (end === 'name taken' && stage.asked !== null) {
        session.nameState = 'none';
        handshakes.nameRefused(session, RESULT_CODES.REJECT_NOT_UNIQUE);
        expect(stage.written.at(-1)).toEqual(Buffer.from([0xfa]));
      } else if (end === 'too late') {
        handshakes.poll(5000);
        const isOurFault = stage.asked !== null || stage.hash !== null || stage.isRingFull;
        const answer = stage.written.at(-1)?.toString('hex') ?? '';
        expect(isOurFault ? ['fd', '01fd', 'f7', ''] : ['', 'f7', 'fd']).toContain(answer);
      } else {
        session.state = 'closed';
        handshakes.forget(session);
      }
      // Later answers find no session.
      const before = stage.written.length;
      for (let i = 0; i < 4; i++) stage.serve();
      expect([stage.written.length, stage.isOpen]).toEqual([before, false]);
      expect(counters[DeliveryCounter.HandshakesOpen]).toBe(0);
      expect([counters[DeliveryCounter.PasswordsWaiting], counters[DeliveryCounter.PasswordsRunning]]).toEqual([0, 0]);
    }),
    { numRuns: 1000 },
  );
});
