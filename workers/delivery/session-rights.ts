/** What `AccessFile` lets a session do. */
import type { AccessRules } from '../../engine/access/access-rules.ts';
import { SubjectRights } from '../../engine/access/subject-rights.ts';
import type { ClientSession } from './client-session.ts';

/** Made at the session's first request, and anew when the rules have changed. */
export function rightsOf(session: ClientSession, rules: AccessRules): SubjectRights {
  const { rights } = session;
  if (rights !== null && rights.rules === rules) return rights;
  const { address, certificate } = session.transport.peer;
  session.rights = new SubjectRights(rules, {
    user: session.user,
    certificate: certificate ?? null,
    address: address ?? null,
    isUnix: address === undefined,
  });
  return session.rights;
}
