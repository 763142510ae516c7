import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { AuditFields } from '../../relayer/audit/entry.ts'

/** What a stopped relayer's audit log says, oldest first. */
export function auditEntries({ data }: { readonly data: string }): readonly AuditFields[] {
  const db = new DatabaseSync(join(data, 'relayer.db'))
  const rows = db.prepare('SELECT json FROM audit_entries ORDER BY number').all()
  db.close()
  return rows.map(({ json }) => JSON.parse(json as string) as AuditFields)
}
