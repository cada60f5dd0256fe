import { AUDIT_GUARDS } from './audit-guards.ts'
import { CAPABILITY_GUARDS } from './capability-guards.ts'
import { CONSUMER_GUARDS } from './consumer-guards.ts'
import { DATABASE_GUARDS } from './database-guards.ts'
import { EVENT_GUARDS } from './event-guards.ts'
import type { Guard } from './guard.ts'
import { PROCESS_GUARDS } from './process-guards.ts'
import { REDIS_GUARDS } from './redis-guards.ts'
import { RELAY_GUARDS } from './relay-guards.ts'
import { REPLICA_GUARDS } from './replica-guards.ts'
import { REQUEST_GUARDS } from './request-guards.ts'
import { RETENTION_GUARDS } from './retention-guards.ts'
import { RULE_GUARDS } from './rule-guards.ts'

export const GUARDS: Guard[] = [
  ...RULE_GUARDS,
  ...REQUEST_GUARDS,
  ...DATABASE_GUARDS,
  ...CAPABILITY_GUARDS,
  ...PROCESS_GUARDS,
  ...AUDIT_GUARDS,
  ...CONSUMER_GUARDS,
  ...REDIS_GUARDS,
  ...RELAY_GUARDS,
  ...EVENT_GUARDS,
  ...RETENTION_GUARDS,
  ...REPLICA_GUARDS,
]
