import type { Database } from './database.ts'

/** Forgets feed messages but the last so many: nobody is sent those of an earlier epoch, and the log says what they said. */
export async function forgetMessages(db: Database, keep: number): Promise<void> {
  const { last } = await db
    .selectFrom('feed_messages')
    .select(({ fn }) => fn.max('number').as('last'))
    .executeTakeFirstOrThrow()
  if (last === null) return
  await db
    .deleteFrom('feed_messages')
    .where('number', '<=', last - keep)
    .execute()
}
